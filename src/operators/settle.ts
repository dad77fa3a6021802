import type { Subscriber } from 'rxjs';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { Fifo } from '../flow/fifo.ts';
import type { Flow } from '../flow/flow.ts';
import { createSettled, type Settled } from '../flow/settled.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** Acknowledges each delivery, then emits its value. */
export class SettleStage<A> extends StageSubscriber<Delivery<A>, A> {
  private readonly waiting = new Fifo<Delivery<A>>();
  private busy = false;
  private end: (() => void) | undefined;

  constructor(out: Subscriber<A>) {
    super(out);
    this.add(() => this.abandon());
  }

  // An acknowledgement may bring the next values, and the end, before it returns: they belong after the value it was for.
  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    if (this.busy) {
      this.waiting.push(delivery);
      return;
    }
    this.busy = true;
    let next: Delivery<A> | undefined = delivery;
    while (next !== undefined) {
      next.ack();
      this.out.next(next.value);
      next = this.waiting.shift();
    }
    this.busy = false;
    this.end?.();
  }

  override error(cause: unknown): void {
    if (this.busy) this.end = () => super.error(cause);
    else super.error(cause);
  }

  override complete(): void {
    if (this.busy) this.end = () => super.complete();
    else super.complete();
  }

  private abandon(): void {
    for (let left = this.waiting.shift(); left !== undefined; left = this.waiting.shift())
      handleOf(left).giveUp();
  }
}

/**
 * The exit to plain RxJS: acknowledges each delivery, then emits its bare value. What happens to the value afterwards is not waited for: a crash
 * loses what was committed meanwhile, and repeats what was not. `atMostOnce()` commits before it emits.
 *
 * @acks Acknowledges each value, then emits it.
 *
 * @marbles
 * ```ts
 * const source = flow('a-b|');
 * const seen: string[] = [];
 * source.pipe(settle()).subscribe((value) => seen.push(value));
 * expectAcks(source).toBe('a-b');
 * ```
 *
 * @example
 * ```ts
 * await lastValueFrom(orders.pipe(map((order) => order.value.total), settle()).pipe(reduce((a, b) => a + b, 0)));
 * ```
 */
export function settle<A>(): (flow: Flow<A>) => Settled<A> {
  return (flow) => createSettled((out) => flow.subscribe(new SettleStage(out)));
}
