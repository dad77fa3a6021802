import type { Subscriber } from 'rxjs';
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

/** Options of {@link countWindow}. */
export interface CountWindowOptions<A> extends StageOptions<A> {
  /** Values per window. */
  readonly records: number;
  /** One window for each key; without it, one for all. */
  readonly key?: ((value: A) => Key) | undefined;
}

interface Window<A> {
  readonly key: Key;
  parts: Delivery<A>[];
}

class CountWindowStage<A> extends ValueStage<A, readonly A[]> implements Holder {
  readonly collects = true;
  private readonly records: number;
  private readonly key: ((value: A) => Key) | undefined;
  private readonly watch = new HoldWatch(this);
  private readonly windows = new KeyMap<Window<A>>();

  constructor(out: Subscriber<Delivery<readonly A[]>>, stage: NamedStage<A>, options: CountWindowOptions<A>) {
    super(out, stage);
    this.records = options.records;
    this.key = options.key;
    this.add(() => this.abandon());
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
      if (window.parts.some((part) => isBehind(source, part))) this.emit(window);
    }
  }

  dropLost(): void {
    for (const window of [...this.windows.values()]) {
      window.parts = dropDead(window.parts, this.watch);
      if (window.parts.length === 0) this.windows.delete(window.key);
    }
  }

  protected override process(delivery: Delivery<A>): void {
    let key: Key;
    try {
      key = this.key === undefined ? undefined : checkKey('countWindow', this.key(delivery.value));
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    const due = this.watch.add(delivery);
    if (due === DROPPED) return;
    let window = this.windows.get(key);
    if (window === undefined) {
      window = { key, parts: [] };
      this.windows.set(key, window);
    }
    window.parts.push(delivery);
    if (window.parts.length >= this.records) this.emit(window);
    else if (due !== undefined) this.flush(due);
  }

  protected override end(): void {
    for (const window of [...this.windows.values()]) this.emit(window);
    super.end();
  }

  // Emitting may re-enter and change the windows, so the window is taken out first, and one already gone is left alone.
  private emit(window: Window<A>): void {
    if (this.windows.get(window.key) !== window) return;
    this.windows.delete(window.key);
    for (const part of window.parts) this.watch.remove(part);
    const values = window.parts.map((part) => part.value);
    this.out.next(gather(window.parts, values));
  }

  private abandon(): void {
    this.watch.close();
    for (const window of this.windows.values()) {
      for (const part of window.parts) handleOf(part).giveUp();
    }
    this.windows.clear();
  }
}

/**
 * Collects every `records` values, of each key if one is given, into one array and one delivery, whatever partition they are from; in `eachClaim` the windows
 * are those of one partition. A window is emitted short when the flow completes, when a claim in it is being given away or drained, and when the source is out
 * of credit and waits for it. What `key` throws is handled by `onError`.
 *
 * ```text
 * a---b---c---d---e|
 *   countWindow({ records: 2 })
 * ----[ab]----[cd]-([e]|)
 * ```
 *
 * @acks Settling a window settles every record in it, in their order. What a window has of a claim that is lost, or when the flow is unsubscribed, stays unsettled;
 * the window goes on with the values of the other claims.
 *
 * @marbles
 * ```ts
 * const source = flow('abc--|');
 * const pairs = countWindow<string>({ records: 2 });
 * expectFlow(source.pipe(pairs, map((values) => values.join('')))).toBe('-x---(y|)', { x: 'ab', y: 'c' });
 * expectAcks(source).toBe('-(ab)c');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(countWindow({ records: 100, key: (order) => order.value.country }));
 * ```
 */
export function countWindow<A>(options: CountWindowOptions<A>): Op<A, readonly A[]> {
  const { records } = options;
  if (!Number.isInteger(records) || records < 1) {
    throw new UsageError(`countWindow: records is a whole number from 1, not ${records}`, 'records');
  }
  const stage = namedStage<A>('countWindow', options);
  return (flow) => createFlow((out) => flow.subscribe(new CountWindowStage(out, stage, options)));
}
