import type { Observable } from 'rxjs';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { AsyncSetup } from './async/async-stage.ts';
import type { CallContext } from './async/call.ts';
import { ExhaustOrder } from './async/exhaust-order.ts';
import { InnerStage } from './async/inner-stage.ts';
import { byKeySetup, type ByKeyOptions } from './switch-by-key.ts';

/**
 * Subscribes an Observable for a value, and passes over the values of the same key that come before it completes: RxJS's `exhaustMap`, apart for each key of
 * each claim. The key is free again when the Observable completes or its failure is dealt with; while it waits for its turn or its next attempt it is not. At
 * most `concurrency` Observables are subscribed, per flow, or per claim inside `eachClaim`.
 *
 * @acks A value that is passed over is acknowledged at once: the one that runs came before it and is unsettled, so a replay begins with that. The others settle
 * when their Observable has completed and all that it emitted has settled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab--c----|');
 * const later = exhaustByKey((value: string) => rx.timer(3).pipe(rx.map(() => value)), { concurrency: 1 });
 * expectFlow(source.pipe(later)).toBe('---a---c-|');
 * expectAcks(source).toBe('-b-a---c');
 * ```
 *
 * @example
 * ```ts
 * requests.pipe(exhaustByKey((request, { signal }) => refresh(request, signal), { key: (request) => request.key, concurrency: 4 }));
 * ```
 */
export function exhaustByKey<A, B>(
  project: (value: A, context: CallContext) => Observable<B>,
  options: ByKeyOptions<NoInfer<A>>,
): Op<A, B> {
  const { key, maxOutstanding, ...rest } = byKeySetup<A>('exhaustByKey', options);
  const setup: AsyncSetup<A> = {
    ...rest,
    ordering: <C>() => new ExhaustOrder<A, C>('exhaustByKey', key),
  };
  return (flow) =>
    createFlow((out) => flow.subscribe(new InnerStage(out, 'exhaustByKey', setup, project, maxOutstanding)));
}
