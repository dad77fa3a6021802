import type { Subscriber } from 'rxjs';
import { systemClock, type Timer } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { dropDead } from '../flow/dead.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { gather } from '../flow/gather.ts';
import { DROPPED, HoldWatch, type Holder } from '../flow/hold-watch.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** Options of {@link batch}. */
export interface BatchOptions {
  /** For messages and metrics; default 'batch'. */
  readonly name?: string | undefined;
  readonly maxRecords: number;
  /** A batch is emitted at most this long after its first value arrived. */
  readonly withinMs: number;
  /** Bytes, on the wire, of the records behind one batch; a larger record is a batch by itself. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

class BatchStage<A>
  extends StageSubscriber<Delivery<A>, Delivery<readonly A[]>>
  implements Holder, KeepingStage
{
  readonly stageName: string;
  readonly collects = true;
  private readonly maxRecords: number;
  private readonly withinMs: number;
  private readonly maxBytes: number;
  private readonly watch = new HoldWatch(this);
  private parts: Delivery<A>[] = [];
  private bytes = 0;
  private timer: Timer | undefined;

  constructor(out: Subscriber<Delivery<readonly A[]>>, options: BatchOptions) {
    super(out);
    this.stageName = options.name ?? 'batch';
    this.maxRecords = options.maxRecords;
    this.withinMs = options.withinMs;
    this.maxBytes = options.maxBytes ?? Infinity;
    this.add(() => this.abandon());
    announce(this);
  }

  // What is emitted is taken out first, and the new value put in: emitting may free credit and bring the next value before it returns.
  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    let full: Delivery<A>[] = [];
    let bytes = 0;
    if (this.maxBytes !== Infinity) {
      bytes = handleOf(delivery).behind.bytesBehind();
      if (this.bytes + bytes > this.maxBytes) full = this.take();
    }
    const due = this.watch.add(delivery);
    if (due === DROPPED) {
      this.emit(full);
      return;
    }
    this.bytes += bytes;
    this.parts.push(delivery);
    if (this.timer === undefined) this.startTimer(delivery);
    this.emit(full);
    if (due !== undefined || this.parts.length >= this.maxRecords) this.flush();
  }

  override complete(): void {
    this.flush();
    super.complete();
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.parts.some(test);
  }

  flush(): void {
    this.emit(this.take());
  }

  dropLost(): void {
    this.parts = dropDead(this.parts, this.watch);
    // The next batch has a time of its own.
    if (this.parts.length === 0) this.stopTimer();
    this.bytes = 0;
    if (this.maxBytes !== Infinity) {
      for (const part of this.parts) this.bytes += handleOf(part).behind.bytesBehind();
    }
  }

  private take(): Delivery<A>[] {
    const { parts } = this;
    this.stopTimer();
    this.parts = [];
    this.bytes = 0;
    for (const part of parts) this.watch.remove(part);
    return parts;
  }

  private emit(parts: Delivery<A>[]): void {
    if (parts.length === 0) return;
    const values = parts.map((part) => part.value);
    this.out.next(gather(parts, values));
  }

  private startTimer(delivery: Delivery<A>): void {
    const clock = handleOf(delivery).behind.someSettlement()?.clock ?? systemClock;
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, this.withinMs);
  }

  private stopTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private abandon(): void {
    this.stopTimer();
    this.watch.close();
    for (const part of this.parts) handleOf(part).giveUp();
    this.parts = [];
  }
}

/**
 * Collects values into arrays of at most `maxRecords`, emitted at the latest `withinMs` after the first. A batch is one delivery: settling it
 * settles every record in it. It is emitted early when the source is out of credit and waits for it, when a claim in it is being given away
 * or drained, and when the flow completes; so a batch larger than the credit degrades instead of standing still.
 *
 * @acks A batch is one delivery: settling it settles every record in it. What is collected when its claim is lost, or the flow unsubscribed, stays
 * unsettled; the batch goes on with the values of the other claims.
 *
 * @marbles
 * ```ts
 * const source = flow('abc-----|');
 * const pairs = batch<string>({ maxRecords: 2, withinMs: 3 });
 * expectFlow(source.pipe(pairs, map((values) => values.join('')))).toBe('-x---y--|', { x: 'ab', y: 'c' });
 * expectAcks(source).toBe('-(ab)c');
 * ```
 *
 * @example
 * ```ts
 * users.pipe(batch({ maxRecords: 500, withinMs: 100 }), mapAsync((rows) => insert(rows), { concurrency: 1, order: 'input' }));
 * ```
 */
export function batch<A>(options: BatchOptions): Op<A, readonly A[]> {
  const { maxRecords, withinMs, maxBytes = Infinity } = options;
  if (!Number.isInteger(maxRecords) || maxRecords < 1) {
    throw new UsageError(`batch: maxRecords is a whole number from 1, not ${maxRecords}`, 'maxRecords');
  }
  if (!(withinMs >= 0 && withinMs < Infinity)) {
    throw new UsageError(`batch: withinMs is a number of milliseconds, not ${withinMs}`, 'withinMs');
  }
  if (!(maxBytes > 0))
    throw new UsageError(`batch: maxBytes is a number above 0, not ${maxBytes}`, 'maxBytes');
  return (flow) => createFlow((out) => flow.subscribe(new BatchStage(out, options)));
}
