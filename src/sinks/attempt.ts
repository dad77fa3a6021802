import type { Delivery } from '../flow/delivery.ts';
import type { RetryWait, Waiter } from '../flow/retry-wait.ts';

/** Where an attempt goes on after a wait. */
interface AttemptOwner {
  again(place: number): void;
  end(place: number, passes: boolean): void;
}

/** What a delivery's way through a sink needs beyond its place in the lane: it became several records, or something went wrong. */
export class Attempt<A> implements Waiter<A> {
  /** Records without an answer, and one while they are handed over. */
  pending = 0;
  failures = 0;
  error: unknown = undefined;
  isWithdrawn = false;
  wait: RetryWait<A> | undefined = undefined;
  private readonly owner: AttemptOwner;
  private readonly place: number;

  constructor(owner: AttemptOwner, place: number) {
    this.owner = owner;
    this.place = place;
  }

  onDue(_delivery: Delivery<A>): void {
    this.wait = undefined;
    this.owner.again(this.place);
  }

  onGivenUp(_delivery: Delivery<A>): void {
    this.owner.end(this.place, false);
  }
}
