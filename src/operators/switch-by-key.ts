import type { Observable } from 'rxjs';
import { UsageError } from '../errors.ts';
import { createFlow } from '../flow/flow.ts';
import type { Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage } from '../flow/value-stage.ts';
import {
  checkConcurrency,
  checkTimeout,
  type AsyncSetup,
  type AsyncStage,
  type TimedCalls,
} from './async/async-stage.ts';
import type { CallContext } from './async/call.ts';
import { checkMaxOutstanding, InnerStage } from './async/inner-stage.ts';
import { SwitchOrder } from './async/switch-order.ts';

/** Options of {@link switchByKey} and {@link exhaustByKey}. */
export type ByKeyOptions<A> = TimedCalls &
  StageOptions<A> & {
    /** One Observable at a time for each key of a claim. Without it, one for each claim. */
    readonly key?: ((value: A) => Key) | undefined;
    /** Observables that are subscribed at once, over all keys. */
    readonly concurrency: number;
    /** Values of one Observable that may be unsettled at once; one more is a failure. Default 1,024. */
    readonly maxOutstanding?: number | undefined;
  };

const oneKey = (): undefined => undefined;

/** The options in order; throws a UsageError for those that make no sense. */
export function byKeySetup<A>(
  operator: string,
  options: ByKeyOptions<A>,
): {
  readonly stage: AsyncSetup<A>['stage'];
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly key: (value: A) => Key;
  readonly maxOutstanding: number;
} {
  const { concurrency, key = oneKey, timeoutMs } = options;
  checkConcurrency(operator, concurrency);
  checkTimeout(operator, timeoutMs);
  if (typeof key !== 'function')
    throw new UsageError(`${operator}: key is a function from a value to its key`, 'key');
  const maxOutstanding = checkMaxOutstanding(operator, options.maxOutstanding);
  return { stage: namedStage(operator, options), concurrency, timeoutMs, key, maxOutstanding };
}

/**
 * Subscribes an Observable for each value, and stops it when the next value of the same key comes: RxJS's `switchMap`, apart for each key of each claim. What
 * was emitted until then stays emitted; a value whose turn had not come, or that waits for its next attempt, is not tried any more. At most `concurrency`
 * Observables are subscribed, per flow, or per claim inside `eachClaim`. An Observable has to complete, or its record is never settled.
 *
 * A key that never comes to rest is slowed down by the credit of its claim, which the superseded values count towards: out of it, the last one is waited for.
 *
 * @acks A superseded value settles when the one in its place does: acknowledged with it, left unsettled if that is refused or given up. Then one made of several
 * claims is refused to those that would not be read again, or has them read again. The last of a key settles when its Observable has completed and all that it
 * emitted has settled.
 *
 * @marbles
 * ```ts
 * const source = flow('a-b-----|');
 * const twice = switchByKey((value: string) => rx.timer(1, 2).pipe(rx.take(2), rx.map(() => value)), { concurrency: 1 });
 * expectFlow(source.pipe(twice)).toBe('-a-b-b--|');
 * expectAcks(source).toBe('-----(ab)');
 * ```
 *
 * @example
 * ```ts
 * searches.pipe(switchByKey((search, { signal }) => results(search, signal), { key: (search) => search.key, concurrency: 16 }));
 * ```
 */
export function switchByKey<A, B>(
  project: (value: A, context: CallContext) => Observable<B>,
  options: ByKeyOptions<NoInfer<A>>,
): Op<A, B> {
  const { key, maxOutstanding, ...rest } = byKeySetup<A>('switchByKey', options);
  const setup: AsyncSetup<A> = {
    ...rest,
    ordering: <C>(stage: AsyncStage<A, C>) =>
      new SwitchOrder<A, C>('switchByKey', key, (call) => stage.withdraw(call)),
  };
  return (flow) =>
    createFlow((out) => flow.subscribe(new InnerStage(out, 'switchByKey', setup, project, maxOutstanding)));
}
