import { systemClock, type Timer } from '../core/clock.ts';
import { handleOf, type Delivery } from './delivery.ts';
import { onAbort } from '../core/on-abort.ts';
import { isEnding } from './policy.ts';

/** What a stage does when a wait is over. */
export interface Waiter<A> {
  /** The wait is over: try again. */
  onDue(delivery: Delivery<A>): void;
  /** Every claim behind it ended meanwhile; the delivery was left unsettled. */
  onGivenUp(delivery: Delivery<A>): void;
}

/** A delivery waiting for its next attempt, on the clock of its claim. */
export class RetryWait<A> {
  readonly delivery: Delivery<A>;
  private readonly timer: Timer;
  private readonly stops: (() => void)[] = [];

  constructor(delivery: Delivery<A>, delayMs: number, waiter: Waiter<A>) {
    this.delivery = delivery;
    const { behind } = handleOf(delivery);
    this.timer = (behind.someSettlement()?.clock ?? systemClock).setTimeout(() => {
      this.stop();
      waiter.onDue(delivery);
    }, delayMs);
    const onEnd = (): void => {
      if (!isEnding(delivery)) return;
      this.cancel();
      waiter.onGivenUp(delivery);
    };
    behind.visitSettlements((settlement) => {
      this.stops.push(onAbort(settlement.revoking, onEnd), onAbort(settlement.lost, onEnd));
    });
  }

  /** Leaves the delivery unsettled and calls nobody; for a stage that is unsubscribed. */
  cancel(): void {
    this.stop();
    handleOf(this.delivery).giveUp();
  }

  /** Ends the wait and calls nobody; what becomes of the delivery is the caller's affair. */
  stop(): void {
    this.timer.cancel();
    for (const stop of this.stops) stop();
    this.stops.length = 0;
  }
}
