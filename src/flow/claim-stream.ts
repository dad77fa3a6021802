import { Observable, type Subscriber, type TeardownLogic } from 'rxjs';
import type { Claim } from './claim.ts';
import { PulledValues } from './pulled-values.ts';

/** The claims of a source as they come: an Observable, and for `for await`. */
export class ClaimStream<out T> extends Observable<Claim<T>> implements AsyncIterable<Claim<T>> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows what it is made from
  constructor(subscribe: (subscriber: Subscriber<Claim<T>>) => TeardownLogic) {
    super(subscribe);
  }

  /**
   * `for await (const claim of claims.claims)`: the source is opened at the first turn and closed when the loop is left; a group is left with it.
   * A claim reads when it is subscribed or iterated itself; one that is over before its turn came is complete at once.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Claim<T>> {
    return new PulledValues<Claim<T>>(this, () => undefined);
  }
}
