import type { Observable } from 'rxjs';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { asyncSetup, type TimedCalls } from './async/async-stage.ts';
import type { Ordering } from './async/call-order.ts';
import type { CallContext } from './async/call.ts';
import { checkMaxOutstanding, InnerStage } from './async/inner-stage.ts';

/**
 * Any plain RxJS for each record by itself: the record settles when its Observable completes and all that it emitted has settled. At most
 * `concurrency` Observables are subscribed, per flow, or per claim inside `eachClaim`. One that has `maxOutstanding` (default 1,024) unsettled values and emits
 * another fails, by `onError`, and so does one that has not completed within `timeoutMs`; a retry subscribes anew, and what was emitted before stays emitted.
 *
 * ```text
 * in                        a---b-----|
 * inner Observables         (1-2|)
 * order 'none'              1-2-1-2---|
 * acks of 1 and 2 at once   --a---b
 * ```
 *
 * @acks A record settles when its Observable has completed and all that it emitted has settled; none emitted: at once.
 *
 * @marbles
 * ```ts
 * const source = flow('a---b-----|');
 * const twice = perRecord(() => rx.timer(0, 2).pipe(rx.take(2)), { concurrency: 1, order: 'none' });
 * expectFlow(source.pipe(twice)).toBe('0-1-0-1---|', { 0: 0, 1: 1 });
 * expectAcks(source).toBe('--a---b');
 * ```
 *
 * @example
 * ```ts
 * ids.pipe(perRecord((id, { signal }) => pages(id, signal).pipe(take(10)), { concurrency: 4, order: 'none' }));
 * ```
 */
export function perRecord<A, B>(
  project: (value: A, context: CallContext) => Observable<B>,
  options: { readonly concurrency: number; readonly maxOutstanding?: number | undefined } & TimedCalls &
    Ordering<NoInfer<A>> &
    StageOptions<NoInfer<A>>,
): Op<A, B> {
  const setup = asyncSetup<A>('perRecord', options);
  const maxOutstanding = checkMaxOutstanding('perRecord', options.maxOutstanding);
  return (flow) =>
    createFlow((out) => flow.subscribe(new InnerStage(out, 'perRecord', setup, project, maxOutstanding)));
}
