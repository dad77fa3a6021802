// The open windows of one claim or plain source: what was folded into them, and the deliveries that they hold until they close.
import type { Key } from '../../flow/key.ts';
import { KeyMap } from '../../flow/key.ts';
import { Handle, handleOf, type Delivery } from '../../flow/delivery.ts';
import { gather } from '../../flow/gather.ts';
import { onAbort } from '../../flow/on-abort.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { systemClock, type Timer } from '../../core/clock.ts';
import { readClosedUpTo, writeClosedUpTo } from './closed-up-to.ts';
import { ObservedOwner } from './observed-owner.ts';

/** A window's row. */
export interface Windowed<out K, out R> {
  readonly key: K;
  /** Milliseconds since 1970, inclusive. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly value: R;
  /** False for a row emitted early, because the span was full: the window's rows add up. */
  readonly final: boolean;
}

/** How values are folded. */
export interface Fold<A, K extends Key, R> {
  readonly stage: string;
  readonly sizeMs: number;
  readonly graceMs: number;
  readonly seed: () => R;
  readonly add: (row: R, value: A) => R;
  readonly emit: (row: Delivery<Windowed<K, R>>) => void;
  /** The source can hand over nothing more, and all that it waits for is here. */
  readonly onFull: (lane: WindowLane<A, K, R>) => void;
}

interface OpenWindow<A, K, R> {
  readonly key: K;
  readonly start: number;
  row: R;
  parts: Delivery<A>[];
}

/** Given away or lost: whoever owns the records next replays the windows whole. */
export function isOver({ revoking, lost }: Settlement): boolean {
  return revoking.aborted || lost.aborted;
}

/** A round of closing; its mark counts once every row of it, and of the rounds before it, is settled. */
interface Round {
  readonly end: number;
  unsettled: number;
}

/** Pressure that is about to pass by itself is not fullness. */
const FULL_AFTER_MS = 50;

export class WindowLane<A, K extends Key, R> {
  private readonly settlement: Settlement | undefined;
  private readonly fold: Fold<A, K, R>;
  private readonly byStart = new Map<number, KeyMap<OpenWindow<A, K, R>>>();
  private readonly rounds: Round[] = [];
  private readonly stops: (() => void)[] = [];
  private readonly doneUpTo: number;
  private streamTime = Number.NEGATIVE_INFINITY;
  private fullTimer: Timer | undefined;

  constructor(settlement: Settlement | undefined, fold: Fold<A, K, R>, onGone: () => void) {
    this.settlement = settlement;
    this.fold = fold;
    this.doneUpTo = readClosedUpTo(settlement, fold.stage);
    if (settlement === undefined) return;
    const gone = (): void => {
      this.abandon();
      onGone();
    };
    this.stops.push(
      settlement.onPressure(() => this.checkFull()),
      onAbort(settlement.revoking, gone),
      onAbort(settlement.lost, gone),
    );
  }

  /** Where the window of a time begins. */
  startOf(timestamp: number): number {
    return Math.floor(timestamp / this.fold.sizeMs) * this.fold.sizeMs;
  }

  /** Emitted and settled before this claim began. */
  isDone(start: number): boolean {
    return start + this.fold.sizeMs <= this.doneUpTo;
  }

  /** Its window was closed already. */
  isLate(start: number): boolean {
    return start + this.fold.sizeMs + this.fold.graceMs <= this.streamTime;
  }

  /** Throws what the user's functions throw, before anything has changed. */
  put(delivery: Delivery<A>, key: K, start: number, timestamp: number): void {
    let keys = this.byStart.get(start);
    let window = keys?.get(key);
    const row = this.fold.add(window === undefined ? this.fold.seed() : window.row, delivery.value);
    if (window === undefined) {
      if (keys === undefined) {
        keys = new KeyMap();
        this.byStart.set(start, keys);
      }
      window = { key, start, row, parts: [] };
      keys.set(key, window);
    }
    window.row = row;
    window.parts.push(delivery);
    delivery.hold();
    if (timestamp > this.streamTime) {
      this.streamTime = timestamp;
      this.closeDue(timestamp - this.fold.graceMs);
    }
    if (this.settlement?.pressed === true) this.checkFull();
  }

  /** Emits everything there is. */
  close(final: boolean): void {
    this.closeDue(Number.POSITIVE_INFINITY, final);
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const keys of this.byStart.values()) {
      for (const window of keys.values()) if (window.parts.some(test)) return true;
    }
    return false;
  }

  /** The delivery that has waited longest here. */
  oldest(): Delivery<A> | undefined {
    let first: Delivery<A> | undefined;
    for (const keys of this.byStart.values()) {
      for (const window of keys.values()) first ??= window.parts[0];
    }
    return first;
  }

  abandon(): void {
    this.fullTimer?.cancel();
    for (const stop of this.stops.splice(0)) stop();
    for (const keys of this.byStart.values()) {
      for (const window of keys.values()) for (const part of window.parts) handleOf(part).giveUp();
    }
    this.byStart.clear();
  }

  private closeDue(upTo: number, final = true): void {
    const due: OpenWindow<A, K, R>[] = [];
    let end = Number.NEGATIVE_INFINITY;
    for (const [start, keys] of this.byStart) {
      if (start + this.fold.sizeMs > upTo) continue;
      this.byStart.delete(start);
      end = Math.max(end, start + this.fold.sizeMs);
      due.push(...keys.values());
    }
    if (due.length === 0) return;
    due.sort((a, b) => a.start - b.start);
    const round: Round = { end: final ? end : Number.NEGATIVE_INFINITY, unsettled: due.length };
    this.rounds.push(round);
    for (const { key, start, row, parts } of due) {
      const value: Windowed<K, R> = { key, start, end: start + this.fold.sizeMs, value: row, final };
      const gathered = handleOf(gather(parts, value));
      const observed = new ObservedOwner(gathered.behind, () => this.rowSettled(round));
      this.fold.emit(new Handle(value, observed));
    }
  }

  private rowSettled(round: Round): void {
    round.unsettled--;
    let end = Number.NEGATIVE_INFINITY;
    while (this.rounds[0]?.unsettled === 0) end = Math.max(end, this.rounds.shift()!.end);
    // Also while the claim is given away: its last commit is still to come.
    if (Number.isFinite(end)) writeClosedUpTo(this.settlement, this.fold.stage, end);
  }

  private checkFull(): void {
    const { settlement } = this;
    if (settlement === undefined || this.fullTimer !== undefined || this.byStart.size === 0) return;
    this.fullTimer = (settlement.clock ?? systemClock).setTimeout(() => {
      this.fullTimer = undefined;
      if (settlement.pressed === true && settlement.inFlight === 0 && this.byStart.size > 0)
        this.fold.onFull(this);
    }, FULL_AFTER_MS);
  }
}
