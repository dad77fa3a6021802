import { UsageError } from '../../errors.ts';
import type { Delivery } from '../../flow/delivery.ts';
import { KeyMap, type Key } from '../../flow/key.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { EndHeap } from './end-heap.ts';
import type { LaneConfig, LaneStage } from './lane-config.ts';
import { OpenWindow } from './open-window.ts';
import { WindowLane } from './window-lane.ts';

/** The sizes of tumbling and hopping windows; tumbling ones advance by their size. */
export interface FixedConfig<A, K extends Key, R> extends LaneConfig<A, K, R> {
  readonly sizeMs: number;
  readonly advanceMs: number;
}

/** How far a key is, where each key has a time of its own. */
interface KeyTime {
  /** The newest of its values. */
  time: number;
  /** What ends here with its grace is closed: the same, unless it was idle. */
  closed: number;
  /** Ends of its open windows, ascending. */
  readonly ends: number[];
}

/** Tumbling and hopping windows: [start, end), aligned to multiples of the advance since 1970. */
export class FixedLane<A, K extends Key, R> extends WindowLane<A, K, R> {
  declare protected readonly config: FixedConfig<A, K, R>;
  private readonly byEnd = new Map<number, KeyMap<OpenWindow<R>>>();
  private readonly ends = new EndHeap<number>();
  private readonly keys: KeyMap<KeyTime> | undefined;
  private readonly rows: R[] = [];
  private readonly touched: OpenWindow<R>[] = [];

  constructor(settlement: Settlement | undefined, config: FixedConfig<A, K, R>, stage: LaneStage<A, K, R>) {
    super(settlement, config, stage);
    this.keys = config.perKey ? new KeyMap() : undefined;
  }

  protected put(delivery: Delivery<A>, key: K, timestamp: number): boolean {
    if (this.wasLate()) return false;
    const { sizeMs, advanceMs, graceMs, updates, seed, add } = this.config;
    const keyTime = this.keys?.get(key);
    const before = this.keys === undefined ? this.time : (keyTime?.closed ?? Number.NEGATIVE_INFINITY);
    const closed = Math.max(before, timestamp) - graceMs;
    const { rows } = this;
    const { value } = delivery;
    let counted = 0;
    let done = 0;
    for (let start = this.firstStart(timestamp); start <= timestamp; start += advanceMs) {
      const end = start + sizeMs;
      if (end <= closed) continue;
      if (this.keys === undefined && end <= this.doneTime - graceMs) {
        done++;
        continue;
      }
      const window = this.byEnd.get(end)?.get(key);
      rows[counted++] = add(window === undefined ? seed() : window.row, value);
    }
    if (counted === 0) {
      if (done === 0 || this.wasMissing()) return false;
      delivery.ack();
    } else {
      if (keyTime === undefined && this.keys !== undefined && this.keys.size >= this.config.maxKeys)
        throw tooManyKeys(this.config);
      const owner = this.takeOver(delivery, counted, updates ? counted : 0);
      const { touched } = this;
      // The first ones were left out: the last `counted` windows of the value are those that were folded.
      let start = this.lastStart(timestamp) - (counted - 1) * advanceMs;
      for (let at = 0; at < counted; at++, start += advanceMs) {
        const window = this.windowOf(key, start, rows[at]!);
        window.parts.push(owner);
        if (updates) touched.push(window);
      }
      rows.length = 0;
      if (updates) {
        for (const window of touched.splice(0)) {
          const { end, row } = window;
          this.update(window, { key, start: window.start, end, value: row, final: false }, owner);
        }
      }
    }
    this.advance(key, timestamp);
    return true;
  }

  protected closeAfter(elapsedMs: number): boolean {
    if (this.keys !== undefined) return this.closeKeysAfter(elapsedMs);
    const { graceMs } = this.config;
    const target = this.quietTime + elapsedMs - graceMs;
    let last = Number.NEGATIVE_INFINITY;
    for (const end of this.byEnd.keys()) if (end <= target && end > last) last = end;
    if (last === Number.NEGATIVE_INFINITY) return false;
    this.moveTo(Math.max(this.time, last + graceMs));
    this.closeDue();
    return true;
  }

  nextDueMs(): number {
    const { graceMs } = this.config;
    if (this.keys === undefined) return this.ends.first + graceMs - this.quietTime;
    let next = Infinity;
    for (const { time, ends } of this.keys.values()) {
      if (ends.length > 0) next = Math.min(next, ends[0]! + graceMs - time);
    }
    return next;
  }

  protected *windows(): Iterable<OpenWindow<R>> {
    for (const windows of this.byEnd.values()) yield* windows.values();
  }

  protected takeAll(): OpenWindow<R>[] {
    const all: OpenWindow<R>[] = [];
    for (const end of [...this.byEnd.keys()].sort((a, b) => a - b)) this.takeEnd(end, all);
    this.ends.clear();
    if (this.keys !== undefined) for (const keyTime of this.keys.values()) keyTime.ends.length = 0;
    return all;
  }

  protected get isEmpty(): boolean {
    return this.byEnd.size === 0;
  }

  protected get usesPositions(): boolean {
    return this.config.perKey;
  }

  // As Kafka Streams: no window starts before 1970.
  private firstStart(timestamp: number): number {
    const { sizeMs, advanceMs } = this.config;
    return Math.floor(Math.max(0, timestamp - sizeMs + advanceMs) / advanceMs) * advanceMs;
  }

  private lastStart(timestamp: number): number {
    const { advanceMs } = this.config;
    return Math.floor(timestamp / advanceMs) * advanceMs;
  }

  private windowOf(key: Key, start: number, row: R): OpenWindow<R> {
    const end = start + this.config.sizeMs;
    let windows = this.byEnd.get(end);
    if (windows === undefined) {
      windows = new KeyMap();
      this.byEnd.set(end, windows);
      if (this.keys === undefined) this.ends.push(end, end);
    }
    let window = windows.get(key);
    if (window === undefined) {
      window = new OpenWindow(key, start, end, row, this.nextOrder());
      windows.set(key, window);
      if (this.keys !== undefined) this.addEnd(key, end);
    } else window.row = row;
    return window;
  }

  private advance(key: Key, timestamp: number): void {
    if (timestamp > this.time) {
      this.moveTo(timestamp);
      if (this.keys === undefined) {
        this.closeDue();
        return;
      }
    }
    const keyTime = this.keys?.get(key);
    if (keyTime === undefined || timestamp <= keyTime.time) return;
    keyTime.time = timestamp;
    if (timestamp <= keyTime.closed) return;
    keyTime.closed = timestamp;
    this.emitRound(this.takeKey(key, keyTime, []));
  }

  protected closeDue(): void {
    const { graceMs } = this.config;
    if (this.ends.first + graceMs > this.time) return;
    const due: OpenWindow<R>[] = [];
    while (this.ends.first + graceMs <= this.time) this.takeEnd(this.ends.pop()!, due);
    this.emitRound(due);
  }

  private takeEnd(end: number, into: OpenWindow<R>[]): void {
    const windows = this.byEnd.get(end);
    if (windows === undefined) return;
    this.byEnd.delete(end);
    for (const window of windows.values()) into.push(window);
  }

  private closeKeysAfter(elapsedMs: number): boolean {
    const due: OpenWindow<R>[] = [];
    for (const window of this.windows()) {
      const keyTime = this.keys!.get(window.key)!;
      if (window.end + this.config.graceMs <= keyTime.time + elapsedMs) due.push(window);
    }
    for (const { key, end } of due) {
      const keyTime = this.keys!.get(key)!;
      keyTime.closed = Math.max(keyTime.closed, end + this.config.graceMs);
    }
    const closed: OpenWindow<R>[] = [];
    for (const { key } of due) this.takeKey(key, this.keys!.get(key)!, closed);
    this.emitRound(closed);
    return closed.length > 0;
  }

  private takeKey(key: Key, { closed, ends }: KeyTime, into: OpenWindow<R>[]): OpenWindow<R>[] {
    let count = 0;
    while (count < ends.length && ends[count]! + this.config.graceMs <= closed) {
      const end = ends[count++]!;
      const windows = this.byEnd.get(end)!;
      into.push(windows.get(key)!);
      windows.delete(key);
      if (windows.size === 0) this.byEnd.delete(end);
    }
    if (count > 0) ends.splice(0, count);
    return into;
  }

  private addEnd(key: Key, end: number): void {
    let keyTime = this.keys!.get(key);
    if (keyTime === undefined) {
      keyTime = { time: Number.NEGATIVE_INFINITY, closed: Number.NEGATIVE_INFINITY, ends: [] };
      this.keys!.set(key, keyTime);
    }
    const { ends } = keyTime;
    let at = ends.length;
    while (at > 0 && ends[at - 1]! > end) at--;
    ends.splice(at, 0, end);
  }
}

/** Forgetting how far a key is would count late values without a word. */
export function tooManyKeys({ operator, maxKeys }: { operator: string; maxKeys: number }): UsageError {
  return new UsageError(
    `${operator}: a claim has more than ${maxKeys} keys with a time of their own; raise maxKeys if there is memory for them, or use streamTime 'partition'`,
    'maxKeys',
  );
}
