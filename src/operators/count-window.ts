import type { Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { dropDead } from '../flow/dead.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { gather } from '../flow/gather.ts';
import { HoldWatch, type Holder } from '../flow/hold-watch.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import { checkKey, KeyMap, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import { applyPolicy } from '../flow/policy.ts';
import type { PressureSource } from '../flow/settlement.ts';
import { StageError } from '../flow/stage-error.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** Options of {@link countWindow}. */
export interface CountWindowOptions<A> {
  /** Values per window. */
  readonly records: number;
  /** One window for each key; without it, one for all. */
  readonly key?: ((value: A) => Key) | undefined;
}

interface Window<A> {
  readonly key: Key;
  parts: Delivery<A>[];
}

class CountWindowStage<A>
  extends StageSubscriber<Delivery<A>, Delivery<readonly A[]>>
  implements Holder, KeepingStage
{
  readonly stageName = 'countWindow';
  readonly collects = true;
  private readonly records: number;
  private readonly key: ((value: A) => Key) | undefined;
  private readonly watch = new HoldWatch(this);
  private readonly windows = new KeyMap<Window<A>>();

  constructor(out: Subscriber<Delivery<readonly A[]>>, options: CountWindowOptions<A>) {
    super(out);
    this.records = options.records;
    this.key = options.key;
    this.add(() => this.abandon());
    announce(this);
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    let key: Key;
    try {
      key = this.key === undefined ? undefined : checkKey('countWindow', this.key(delivery.value));
    } catch (cause) {
      const { value, origins } = delivery;
      const error = new StageError({ stage: 'countWindow', value, attempt: 1, origins, cause });
      applyPolicy(undefined, delivery, error);
      return;
    }
    let window = this.windows.get(key);
    if (window === undefined) {
      window = { key, parts: [] };
      this.windows.set(key, window);
    }
    window.parts.push(delivery);
    const due = this.watch.add(delivery);
    if (window.parts.length >= this.records) this.emit(window);
    else if (due !== undefined) this.flush(due);
  }

  override complete(): void {
    for (const window of [...this.windows.values()]) this.emit(window);
    super.complete();
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { parts } of this.windows.values()) if (parts.some(test)) return true;
    return false;
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

function isBehind(source: PressureSource, delivery: Delivery<unknown>): boolean {
  let found = false;
  handleOf(delivery).behind.visitPressures((one) => {
    if (one === source) found = true;
  });
  return found;
}

/**
 * Collects every `records` values, of each key if one is given, into one array and one delivery. A window is emitted short when the flow
 * completes, when a claim in it is being given away or drained, and when the source is out of credit and waits for it. A key that throws is a
 * `fail`.
 *
 * @acks A window is one delivery: settling it settles every record in it. What is collected when its claim is lost, or the flow unsubscribed, stays
 * unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('abc--|');
 * const pairs = countWindow<string>({ records: 2 });
 * expectFlow(source.pipe(pairs, map((values) => values.join('')))).toBe('-x---(y|)', { x: 'ab', y: 'c' });
 * expectAcks(source).toBe('-(ab)c');
 * ```
 */
export function countWindow<A>(options: CountWindowOptions<A>): Op<A, readonly A[]> {
  const { records } = options;
  if (!Number.isInteger(records) || records < 1) {
    throw new UsageError(`countWindow: records is a whole number from 1, not ${records}`, 'records');
  }
  return (flow) => createFlow((out) => flow.subscribe(new CountWindowStage(out, options)));
}
