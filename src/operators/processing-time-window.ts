import type { Subscriber } from 'rxjs';
import { systemClock, type Timer } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { dropDead } from '../flow/dead.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { gather } from '../flow/gather.ts';
import { DROPPED, HoldWatch, type Holder } from '../flow/hold-watch.ts';
import { checkKey, KeyMap, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import type { PressureSource } from '../flow/settlement.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { isBehind } from './windows/is-behind.ts';
import type { Windowed } from './windows/windowed.ts';
import { checkMs } from './windows/window-options.ts';

/** Options of {@link processingTimeWindow}. */
export interface ProcessingTimeWindowOptions<A, K extends Key> extends StageOptions<A> {
  /** How long a window is, in milliseconds. Windows begin at multiples of it since 1970. */
  readonly sizeMs: number;
  /** One row for each key and window. */
  readonly key: (value: A) => K;
}

interface Window<A, K, R> {
  readonly key: K;
  row: R;
  parts: Delivery<A>[];
}

type AllOptions<A, K extends Key, R> = ProcessingTimeWindowOptions<A, K> & {
  readonly seed: () => R;
  readonly add: (row: R, value: A) => R;
};

class ProcessingTimeStage<A, K extends Key, R> extends ValueStage<A, Windowed<K, R>> implements Holder {
  readonly collects = true;
  private readonly options: AllOptions<A, K, R>;
  private readonly watch = new HoldWatch(this);
  /** All of one time: only one window of a key is open. */
  private readonly windows = new KeyMap<Window<A, K, R>>();
  private start = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  constructor(out: Subscriber<Delivery<Windowed<K, R>>>, stage: NamedStage<A>, options: AllOptions<A, K, R>) {
    super(out, stage);
    this.options = options;
    this.add(() => this.abandon());
  }

  /** A getter, because a stage is announced before its fields are set. */
  get holdsAcks(): boolean {
    return true;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) handleOf(delivery).giveUp();
    else if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { parts } of this.windows.values()) if (parts.some(test)) return true;
    return super.keepsSome(test);
  }

  flush(source: PressureSource): void {
    for (const window of [...this.windows.values()]) {
      if (window.parts.some((part) => isBehind(source, part))) this.emit(window, false);
    }
  }

  dropLost(): void {
    for (const window of [...this.windows.values()]) {
      const { length } = window.parts;
      window.parts = dropDead(window.parts, this.watch);
      if (window.parts.length === 0) this.windows.delete(window.key);
      else if (window.parts.length < length) this.refold(window);
    }
  }

  protected override process(delivery: Delivery<A>): void {
    const { value } = delivery;
    const { sizeMs, seed, add } = this.options;
    const clock = handleOf(delivery).behind.someSettlement()?.clock ?? systemClock;
    const nowMs = clock.wallNow();
    const start = Math.floor(nowMs / sizeMs) * sizeMs;
    // The timer may be late, and the time of day may be set back.
    if (start > this.start) this.closeAll();
    const due = this.watch.add(delivery);
    if (due === DROPPED) return;
    let key: K;
    let row: R;
    let window: Window<A, K, R> | undefined;
    try {
      key = checkKey('processingTimeWindow', this.options.key(value)) as K;
      window = this.windows.get(key);
      row = add(window === undefined ? seed() : window.row, value);
    } catch (cause) {
      this.watch.remove(delivery);
      this.failed(delivery, cause);
      return;
    }
    if (start > this.start) this.start = start;
    if (window === undefined || this.windows.get(key) !== window) {
      window = { key, row, parts: [] };
      this.windows.set(key, window);
    }
    window.row = row;
    window.parts.push(delivery);
    delivery.hold();
    this.timer ??= clock.setTimeout(
      () => {
        this.timer = undefined;
        this.closeAll();
      },
      Math.max(1, this.start + sizeMs - nowMs),
    );
    if (due !== undefined) this.flush(due);
  }

  protected override end(): void {
    this.closeAll();
    super.end();
  }

  private closeAll(): void {
    this.timer?.cancel();
    this.timer = undefined;
    for (const window of [...this.windows.values()]) this.emit(window, true);
  }

  // Emitting may re-enter and change the windows, so the window is taken out first, and one already gone is left alone.
  private emit(window: Window<A, K, R>, final: boolean): void {
    const { key, row, parts } = window;
    if (this.windows.get(key) !== window) return;
    this.windows.delete(key);
    for (const part of parts) this.watch.remove(part);
    const { start } = this;
    this.out.next(gather(parts, { key, start, end: start + this.options.sizeMs, value: row, final }));
  }

  // What came from a lost claim is its next owner's to count.
  private refold(window: Window<A, K, R>): void {
    const { seed, add } = this.options;
    try {
      window.row = window.parts.reduce((row, { value }) => add(row, value), seed());
    } catch (cause) {
      this.windows.delete(window.key);
      for (const part of window.parts) {
        this.watch.remove(part);
        this.failed(part, cause);
      }
    }
  }

  private abandon(): void {
    this.timer?.cancel();
    this.watch.close();
    for (const window of this.windows.values()) {
      for (const part of window.parts) handleOf(part).giveUp();
    }
    this.windows.clear();
  }
}

/**
 * Folds the values of each key into windows of `sizeMs` by the time at which they come, whatever partition they are from: [start, end), aligned to multiples of the
 * size since 1970, by the clock of the topology, which in tests is virtual. Nothing is ever late. A replay puts values into other windows than the first run;
 * where that matters, use {@link tumblingWindow}.
 *
 * A window closes when its time is over, and when the flow completes. Its row is emitted early, with `final: false`, when a claim in it is being given away or
 * drained, and when the source's span is full and waits for it; the rows of a window add up.
 *
 * ```text
 * 0s       60s       120s
 * a--b--a--|---b--c--|      sizeMs 60_000
 * ---------a2 b1-----b1 c1
 * ```
 *
 * Throws a UsageError for options that are out of range. What `key`, `seed` or `add` throw is handled by `onError`.
 *
 * @acks Holds its records, without their credit, until the row of their window is settled. Those of a claim that is lost are taken out of it, unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('a-a-----b---|');
 * const counts = processingTimeWindow({ sizeMs: 5, key: (x: string) => x, seed: () => 0, add: (n) => n + 1 });
 * const rows = source.pipe(counts, map(({ key, value }) => `${key}: ${value}`));
 * expectFlow(rows).toBe('-----x----y-|', { x: 'a: 2', y: 'b: 1' });
 * expectAcks(source).toBe('-----(aa)-b');
 * ```
 *
 * @example
 * ```ts
 * hits.pipe(processingTimeWindow({ sizeMs: 60_000, key: (h) => h.page, seed: () => 0, add: (n) => n + 1 }));
 * ```
 */
export function processingTimeWindow<A, K extends Key, R>(
  options: ProcessingTimeWindowOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: NoInfer<R>, value: A) => NoInfer<R>;
  },
): Op<A, Windowed<K, R>> {
  const operator = 'processingTimeWindow';
  const { sizeMs, key, seed, add } = options;
  checkMs(operator, 'sizeMs', sizeMs, 'above zero');
  for (const [option, value] of Object.entries({ key, seed, add })) {
    if (typeof value !== 'function') throw new UsageError(`${operator}: '${option}' is a function`, option);
  }
  const stage = namedStage<A>(operator, options);
  return (flow) => createFlow((out) => flow.subscribe(new ProcessingTimeStage<A, K, R>(out, stage, options)));
}
