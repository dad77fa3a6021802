import { CircuitState, ConsecutiveBreaker, CountBreaker, type IBreaker } from 'cockatiel';
import type { Observable, Subscriber } from 'rxjs';
import { systemClock, type Timer } from '../core/clock.ts';
import { CircuitOpenError, UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { isEnding, type StageOptions } from '../flow/policy.ts';
import { asyncSetup, type AsyncSetup, type TimedCalls } from './async/async-stage.ts';
import type { Ordering } from './async/call-order.ts';
import type { Call, CallContext } from './async/call.ts';
import { MapAsyncStage, type Project } from './map-async.ts';

/** What a circuit is: `closed` lets calls through, `open` none, `half-open` one, whose result decides. */
export type Circuit = 'closed' | 'open' | 'half-open';

/** When a circuit opens: after so many failures in a row, or when more than `rate` (0 to 1) of the last `calls` failed. */
export type OpensAfter = { readonly failures: number } | { readonly rate: number; readonly calls: number };

/** Options of {@link circuitBreaker}, besides those of `mapAsync`. */
export interface CircuitBreakerOptions<A> extends TimedCalls, StageOptions<A> {
  readonly concurrency: number;
  readonly opensAfter: OpensAfter;
  /** So many milliseconds after it opened one call is let through. */
  readonly halfOpenAfterMs: number;
  /** What becomes of calls while it is open: they wait for it to close (`'pause'`), or fail at once with a CircuitOpenError, by `onError` (`'fail'`). */
  readonly whenOpen: 'pause' | 'fail';
  /** False for failures that say nothing about the service, such as an answer that refuses this one value. Default: every failure counts. */
  readonly isFailure?: ((cause: unknown) => boolean) | undefined;
  /** Told of every change. What it throws ends the flow. */
  readonly onCircuit?: ((circuit: Circuit) => void) | undefined;
}

class CircuitBreakerStage<A, B> extends MapAsyncStage<A, B> {
  private readonly options: CircuitBreakerOptions<A>;
  private readonly breaker: IBreaker;
  private circuit: Circuit = 'closed';
  /** The call that decides, while the circuit is half open. */
  private probe: Call<A, B> | undefined;
  /** Calls that were begun since it was closed last; what the others come to says nothing about now. */
  private current = new WeakSet<Call<A, B>>();
  private timer: Timer | undefined;

  constructor(
    out: Subscriber<Delivery<B>>,
    setup: AsyncSetup<A>,
    project: Project<A, B>,
    options: CircuitBreakerOptions<A>,
  ) {
    super(out, setup, project);
    this.options = options;
    this.breaker = breakerOf(options.opensAfter);
    this.add(() => this.timer?.cancel());
  }

  override next(delivery: Delivery<A>): void {
    super.next(delivery);
    if (this.circuit !== 'closed' && isEnding(delivery)) this.dropWaiting();
  }

  onRevoking(): void {
    if (this.circuit !== 'closed') this.dropWaiting();
  }

  protected override mayStart(): boolean {
    if (this.circuit === 'closed' || this.options.whenOpen === 'fail') return true;
    return this.circuit === 'half-open' && this.probe === undefined;
  }

  protected override run(call: Call<A, B>): void {
    if (this.circuit === 'open' || this.probe !== undefined) {
      super.failed(call, new CircuitOpenError(this.stageName));
      return;
    }
    if (this.circuit === 'half-open') this.probe = call;
    else this.current.add(call);
    super.run(call);
  }

  override onValue(call: Call<A, B>, value: B): void {
    if (call.running) this.succeeded(call);
    super.onValue(call, value);
  }

  // Before the policy: a call that it begins again at once meets the circuit as it is by then.
  protected override failed(call: Call<A, B>, cause: unknown): void {
    if (!this.counts(cause)) this.succeeded(call);
    else if (call === this.probe) this.open(call);
    else if (this.current.delete(call) && this.breaker.failure(CircuitState.Closed)) this.open(call);
    super.failed(call, cause);
  }

  // One that was given up decided nothing: the next may.
  protected override finish(call: Call<A, B>): void {
    if (call === this.probe) this.probe = undefined;
    super.finish(call);
  }

  private counts(cause: unknown): boolean {
    try {
      return this.options.isFailure?.(cause) ?? true;
    } catch {
      return true;
    }
  }

  private succeeded(call: Call<A, B>): void {
    if (call === this.probe) {
      this.probe = undefined;
      this.breaker.success(CircuitState.HalfOpen);
      this.turn('closed');
    } else if (this.current.delete(call)) this.breaker.success(CircuitState.Closed);
  }

  private open(call: Call<A, B>): void {
    this.probe = undefined;
    this.current = new WeakSet();
    const clock = handleOf(call.delivery).behind.someSettlement()?.clock ?? systemClock;
    this.timer?.cancel();
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      this.turn('half-open');
      this.pump();
    }, this.options.halfOpenAfterMs);
    this.turn('open');
    this.dropWaiting();
  }

  private turn(circuit: Circuit): void {
    this.circuit = circuit;
    try {
      this.options.onCircuit?.(circuit);
    } catch (cause) {
      this.error(cause);
    }
  }

  // Nobody waits for a service on behalf of a claim that is being given away.
  private dropWaiting(): void {
    if (this.options.whenOpen === 'pause') this.dropEnding();
  }
}

function breakerOf(opensAfter: OpensAfter): IBreaker {
  if ('failures' in opensAfter) return new ConsecutiveBreaker(opensAfter.failures);
  return new CountBreaker({ threshold: opensAfter.rate, size: opensAfter.calls });
}

function checkOpensAfter(opensAfter: OpensAfter): void {
  const what = opensAfter as { failures?: number; rate?: number; calls?: number } | undefined;
  const { failures, rate = NaN, calls = NaN } = what ?? {};
  const isOne = failures !== undefined ? Number.isInteger(failures) && failures >= 1 : false;
  const isOther = failures === undefined && rate > 0 && rate < 1 && Number.isInteger(calls) && calls >= 1;
  if (isOne || isOther) return;
  throw new UsageError(
    'circuitBreaker: opensAfter is { failures } with a whole number from 1, or { rate, calls } with a rate between 0 and 1 and a whole number from 1',
    'opensAfter',
  );
}

/**
 * `mapAsync` with a circuit breaker: when the service that `project` calls fails again and again, the circuit opens and it is left alone for `halfOpenAfterMs`; then one
 * call is let through, and its result closes the circuit or opens it again. While it is open, calls wait (`whenOpen: 'pause'`: the flow stands still, nothing is lost
 * and nothing is used up), or fail at once (`'fail'`). Every failed call, the one that was let through too, is judged by `onError`; so with `retry` a long outage costs
 * the record that is let through one attempt each time: give it attempts for the longest outage you want to sit out.
 *
 * The circuit is that of this stage: per flow, or per claim inside `eachClaim`. Calls that were under way when it opened do not close it. Everything else, `order`,
 * `concurrency`, `signal`, `timeoutMs`, is as with `mapAsync`.
 *
 * ```text
 * in                                        abcd|
 * calls                                     fail at once until frame 4, then answer at once
 * { failures: 2 }, halfOpenAfterMs: 5       ------(cd|)    a and b have failed, by onError: skip
 * acks                                      ab----(cd)
 * ```
 *
 * @acks Settles nothing on success; failed calls by `onError`. Calls that wait while their claim is given away leave the record unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('abcd|');
 * let calls = 0;
 * const service = (x: string) => (++calls <= 2 ? rx.throwError(() => new Error('down')) : rx.of(x));
 * const broken = circuitBreaker(service, {
 *   concurrency: 1,
 *   order: 'input',
 *   opensAfter: { failures: 2 },
 *   halfOpenAfterMs: 5,
 *   whenOpen: 'pause',
 *   onError: skip,
 * });
 * expectFlow(source.pipe(broken)).toBe('------(cd|)');
 * expectAcks(source).toBe('ab----(cd)');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(
 *   circuitBreaker((order, { signal }) => price(order.value, signal), {
 *     concurrency: 16,
 *     order: 'input',
 *     opensAfter: { rate: 0.5, calls: 20 },
 *     halfOpenAfterMs: 10_000,
 *     whenOpen: 'pause',
 *     onError: retry({ attempts: 100 }),
 *   }),
 * );
 * ```
 * @throws UsageError for options that make no sense
 */
export function circuitBreaker<A, B>(
  project: (value: A, context: CallContext) => PromiseLike<B> | Observable<B>,
  options: CircuitBreakerOptions<NoInfer<A>> & Ordering<NoInfer<A>>,
): Op<A, B> {
  const setup = asyncSetup<A>('circuitBreaker', options);
  const { opensAfter, halfOpenAfterMs, whenOpen } = options;
  checkOpensAfter(opensAfter);
  if (!(halfOpenAfterMs >= 0 && halfOpenAfterMs < Infinity))
    throw new UsageError(
      `circuitBreaker: halfOpenAfterMs is a number of milliseconds, not ${halfOpenAfterMs}`,
      'halfOpenAfterMs',
    );
  if (whenOpen !== 'pause' && whenOpen !== 'fail')
    throw new UsageError(
      `circuitBreaker: whenOpen is 'pause' or 'fail', not ${String(whenOpen)}`,
      'whenOpen',
    );
  return (flow) =>
    createFlow((out) => flow.subscribe(new CircuitBreakerStage<A, B>(out, setup, project, options)));
}
