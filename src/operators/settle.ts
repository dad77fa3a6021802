import type { Delivery } from '../flow/delivery.ts';
import type { Flow } from '../flow/flow.ts';
import { createSettled, type Settled } from '../flow/settled.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

class SettleStage<A> extends StageSubscriber<Delivery<A>, A> {
  override next(delivery: Delivery<A>): void {
    if (this.closed) return;
    delivery.ack();
    this.out.next(delivery.value);
  }
}

/**
 * The one exit to plain RxJS: acknowledges each delivery, then emits its bare value. What happens to the value afterwards is at most once.
 *
 * @example
 * ```ts
 * await lastValueFrom(orders.pipe(map((order) => order.value.total), settle()).pipe(reduce((a, b) => a + b, 0)));
 * ```
 */
export function settle<A>(): (flow: Flow<A>) => Settled<A> {
  return (flow) => createSettled((out) => flow.subscribe(new SettleStage(out)));
}
