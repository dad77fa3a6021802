import { isObservable, type Observable, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { AsyncStage, asyncSetup, type AsyncSetup, type TimedCalls } from './async/async-stage.ts';
import type { Ordering } from './async/call-order.ts';
import type { Call, CallContext } from './async/call.ts';

/** What is called for each value. */
export type Project<A, B> = (value: A, context: CallContext) => PromiseLike<B> | Observable<B>;

export class MapAsyncStage<A, B> extends AsyncStage<A, B> {
  private readonly project: Project<A, B>;

  constructor(out: Subscriber<Delivery<B>>, setup: AsyncSetup<A>, project: Project<A, B>) {
    super(out, setup);
    this.project = project;
  }

  protected override run(call: Call<A, B>): void {
    let result: PromiseLike<B> | Observable<B>;
    try {
      result = this.project(call.value, call.context());
    } catch (cause) {
      this.onError(call, cause);
      return;
    }
    // The function itself may have ended the flow.
    if (call.done) return;
    if (isObservable(result)) {
      const first = new FirstValue<A, B>(this, call);
      call.stop = () => first.unsubscribe();
      result.subscribe(first);
    } else if (typeof result?.then === 'function') {
      this.listen(call, result);
    } else {
      this.failed(call, new UsageError('mapAsync: the function answers with a promise or an Observable'));
    }
  }

  // Not every thenable keeps to the rules: some run, and throw, when they are asked. One that took too long may answer to a later attempt.
  private listen(call: Call<A, B>, result: PromiseLike<B>): void {
    const { attempt } = call;
    try {
      result.then(
        (value) => {
          if (call.attempt === attempt) this.onValue(call, value);
        },
        (cause: unknown) => {
          if (call.attempt === attempt) this.onError(call, cause);
        },
      );
    } catch (cause) {
      this.onError(call, cause);
    }
  }

  // A call that was given up is done, one whose attempt took too long is not running; the result comes too late to be anyone's.
  onValue(call: Call<A, B>, value: B): void {
    if (call.done || !call.running) return;
    this.emit(call, call.delivery.derive(value));
    this.finish(call);
  }

  onError(call: Call<A, B>, cause: unknown): void {
    if (!call.done && call.running) this.failed(call, cause);
  }
}

/** Listens to the Observable of one attempt for its first value. */
class FirstValue<A, B> extends InnerSubscriber<B> {
  private readonly stage: MapAsyncStage<A, B>;
  private readonly call: Call<A, B>;

  constructor(stage: MapAsyncStage<A, B>, call: Call<A, B>) {
    super();
    this.stage = stage;
    this.call = call;
  }

  override next(value: B): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.onValue(this.call, value);
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.onError(this.call, cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.error(
      new UsageError('mapAsync: the Observable completed without a value; for none or many, use perRecord'),
    );
  }
}

/**
 * Replaces each value by what the promise, or the first value of the Observable, of `project` says. At most `concurrency` calls run at a time **in this
 * stage: per flow, or per claim inside `eachClaim`**, where a member with six partitions runs up to six times as many. Results keep the order of the input,
 * of the input among equal keys (whose calls run one after the other), or none. A call that waits for its next attempt keeps its place and lends its slot.
 *
 * `context.signal` aborts when the claim is lost or rewound, when `timeoutMs` is over, and when the flow is unsubscribed; `onError` decides about
 * rejections, throws, time that is over, and Observables that complete without a value (for none or many, `perRecord`). With `timeoutMs` the cause is a
 * {@link StageTimeoutError}. Heed the signal: the record of a lost claim is read again in a new claim epoch, and a call that goes on all the same may overlap
 * with the one that follows it there, order 'key' or not.
 *
 * ```text
 * in                       a--b--c-----|
 * calls of 6, 2 and 5 ms   a-----A
 *                             b-B
 *                                c----C
 * order 'input'            ------(AB)-C|
 * order 'none'             -----BA----C|
 * ```
 *
 * @acks Settles nothing on success: the result carries its record on. A call that is given up because its claim is lost leaves the record unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('a--b--c-----|');
 * const takes: Record<string, number> = { a: 6, b: 2, c: 5 };
 * const later = (x: string) => rx.timer(takes[x]!).pipe(rx.map(() => x.toUpperCase()));
 * expectFlow(source.pipe(mapAsync(later, { concurrency: 9, order: 'input' }))).toBe('------(AB)-C|');
 * expectAcks(source).toBe('------(ab)-c');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(mapAsync((order, { signal }) => price(order.value, signal), { concurrency: 16, order: 'key', key: (order) => order.key }));
 * ```
 */
export function mapAsync<A, B>(
  project: (value: A, context: CallContext) => PromiseLike<B> | Observable<B>,
  options: { readonly concurrency: number } & TimedCalls & Ordering<NoInfer<A>> & StageOptions<NoInfer<A>>,
): Op<A, B> {
  const setup = asyncSetup<A>('mapAsync', options);
  return (flow) => createFlow((out) => flow.subscribe(new MapAsyncStage(out, setup, project)));
}
