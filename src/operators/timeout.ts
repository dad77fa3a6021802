import type { Subscriber } from 'rxjs';
import type { Timer } from '../core/clock.ts';
import { StageTimeoutError, UsageError } from '../errors.ts';
import { isDead } from '../flow/dead.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import { Loan, LoanList, type Lender } from '../flow/loan.ts';
import type { Op } from '../flow/op.ts';
import { applyPolicy, type StageOptions } from '../flow/policy.ts';
import { RetryWait } from '../flow/retry-wait.ts';
import { StageError } from '../flow/stage-error.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';
import { namedStage, type NamedStage } from '../flow/value-stage.ts';

/** Options of {@link timeout}. */
export interface TimeoutOptions<A> extends StageOptions<A> {
  /** Milliseconds from when a value leaves this stage until it is settled. */
  readonly withinMs: number;
}

class TimeoutStage<A> extends StageSubscriber<Delivery<A>, Delivery<A>> implements KeepingStage, Lender<A> {
  private readonly stage: NamedStage<A>;
  private readonly withinMs: number;
  private readonly loans = new LoanList<A>();
  private readonly waits = new Set<RetryWait<A>>();
  private timer: Timer | undefined;
  private finished = false;
  private ended = false;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, withinMs: number) {
    super(out);
    this.stage = stage;
    this.withinMs = withinMs;
    this.add(() => this.abandon());
    announce(this);
  }

  get stageName(): string {
    return this.stage.name;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const { delivery } of this.waits) if (test(delivery)) return true;
    return false;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) handleOf(delivery).giveUp();
    else this.lend(delivery, 1);
  }

  // What comes after it may take its time: values are still timed when the flow is complete.
  override complete(): void {
    this.finished = true;
    this.end();
  }

  onReturned(loan: Loan<A>): void {
    this.loans.remove(loan);
    if (this.ended && this.loans.first === undefined) this.stopTimer();
  }

  private lend(delivery: Delivery<A>, attempt: number): void {
    const handle = handleOf(delivery);
    const loan = new Loan<A>(handle, this, attempt);
    loan.dueMs = loan.clock.now() + this.withinMs;
    this.loans.add(loan);
    if (this.timer === undefined) this.startTimer(loan, this.withinMs);
    this.out.next(loan.lent());
  }

  private startTimer(first: Loan<A>, delayMs: number): void {
    this.timer?.cancel();
    this.timer = first.clock.setTimeout(() => {
      this.timer = undefined;
      this.takeBack();
    }, delayMs);
  }

  // Everything has the same time, so the first is the next that is due. What is settled meanwhile leaves the timer as it is.
  private takeBack(): void {
    const due: Loan<A>[] = [];
    for (let first = this.loans.first; first !== undefined; first = this.loans.first) {
      const leftMs = first.dueMs - first.clock.now();
      if (leftMs > 0) {
        this.startTimer(first, leftMs);
        break;
      }
      this.loans.remove(first);
      first.expire();
      due.push(first);
    }
    // The policy first: what makes way for others when it hears of it belongs after it.
    for (const loan of due) {
      this.judge(loan);
      loan.tellExpired();
    }
  }

  private judge({ own, attempt }: Loan<A>): void {
    const { value, origins } = own;
    const { name, onError } = this.stage;
    if (isDead(own)) {
      own.giveUp();
      return;
    }
    const cause = new StageTimeoutError(name, this.withinMs);
    const error = new StageError<A>({ stage: name, value, attempt, origins, cause });
    // To a flow that is complete nothing can be handed over again.
    const delayMs = applyPolicy(onError, own, error, this.ended ? Infinity : attempt);
    if (delayMs === undefined) return;
    if (this.ended) {
      own.giveUp();
      return;
    }
    const wait: RetryWait<A> = new RetryWait<A>(own, delayMs, {
      onDue: (delivery) => {
        this.waits.delete(wait);
        this.lend(delivery, attempt + 1);
        this.end();
      },
      onGivenUp: () => {
        this.waits.delete(wait);
        this.end();
      },
    });
    this.waits.add(wait);
  }

  private end(): void {
    if (!this.finished || this.waits.size > 0 || this.ended) return;
    this.ended = true;
    if (this.loans.first === undefined) this.stopTimer();
    super.complete();
  }

  private stopTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  // What is lent is in other hands, and is settled there.
  private abandon(): void {
    for (const wait of this.waits) wait.cancel();
    this.waits.clear();
    if (this.ended && this.loans.first !== undefined) return;
    this.ended = true;
    this.loans.clear();
    this.stopTimer();
  }
}

/**
 * Gives each value so much time, from here until it is settled, whatever comes after: stages, calls, a sink. A value that is not settled in time is taken
 * back, and `onError` decides about it: its error is a StageError whose cause is a {@link StageTimeoutError}. Calls of `mapAsync`, `perRecord` and the like that run
 * for it are aborted and make way for others; records of it that wait for a producer are not sent any more. What had already been done for it, and what goes
 * on all the same, is not undone; its settlement counts no more. For the time of one call alone, `mapAsync` has `timeoutMs`.
 *
 * What a window holds back on purpose is not timed. With `retry` the value is handed over again, behind the values that have passed it meanwhile; a flow that is
 * complete hands nothing over again: there `retry` is its `then`.
 *
 * ```text
 * in                                             a--b----|
 * timeout({ withinMs: 4, onError: skip })        a--b----|
 * acks, where b is settled at once and a never   ---ba
 * ```
 *
 * @acks Settles what is late by `onError`, at once, whatever becomes of what was made from it; the rest by what follows.
 *
 * @marbles
 * ```ts
 * const source = flow('a--b----|');
 * const never = mapAsync((x: string) => (x === 'a' ? rx.NEVER : rx.of(x)), { concurrency: 9, order: 'none' });
 * expectFlow(source.pipe(timeout({ withinMs: 4, onError: skip }), never)).toBe('---b----|');
 * expectAcks(source).toBe('---ba');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(timeout({ withinMs: 30_000, onError: skip }), mapAsync((order, { signal }) => price(order.value, signal), { concurrency: 16, order: 'none' }));
 * ```
 * @throws UsageError for a time that is none
 */
export function timeout<A>(options: TimeoutOptions<NoInfer<A>>): Op<A, A> {
  const stage = namedStage<A>('timeout', options);
  const { withinMs } = options;
  if (!(withinMs > 0 && withinMs < Infinity))
    throw new UsageError(
      `timeout: withinMs is a number of milliseconds above 0, not ${withinMs}`,
      'withinMs',
    );
  return (flow) => createFlow((out) => flow.subscribe(new TimeoutStage<A>(out, stage, withinMs)));
}
