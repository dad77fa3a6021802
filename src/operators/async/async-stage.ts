import type { Subscriber } from 'rxjs';
import { StageTimeoutError, UsageError } from '../../errors.ts';
import { answersTo } from '../../flow/answers-to.ts';
import { ClaimWatch, type ClaimListener } from '../../flow/claim-watch.ts';
import { isDead } from '../../flow/dead.ts';
import { handleOf, type Delivery } from '../../flow/delivery.ts';
import { Fifo } from '../../flow/fifo.ts';
import { announce, type KeepingStage } from '../../flow/keeping-stage.ts';
import { applyPolicy, isEnding, type StageOptions } from '../../flow/policy.ts';
import { RetryWait } from '../../flow/retry-wait.ts';
import type { Settlement } from '../../flow/settlement.ts';
import { StageError } from '../../flow/stage-error.ts';
import { StageSubscriber } from '../../flow/stage-subscriber.ts';
import { namedStage, type NamedStage } from '../../flow/value-stage.ts';
import { Call } from './call.ts';
import { callOrder, type CallOrder, type Ordering } from './call-order.ts';

/** What asynchronous stages have in common. */
export type AsyncOptions<A> = { readonly concurrency: number } & TimedCalls & Ordering<A> & StageOptions<A>;

/** The time that each attempt of a call may take. */
export interface TimedCalls {
  /**
   * After so many milliseconds an attempt has failed with a StageTimeoutError, which `onError` decides about; its signal is aborted and its result no longer
   * counts. Default: no limit. A `timeout` stage limits all that comes after it instead, and all attempts together.
   */
  readonly timeoutMs?: number | undefined;
}

/** The checked options of one asynchronous stage. */
export interface AsyncSetup<A> {
  readonly stage: NamedStage<A>;
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  /** One of those that users choose from, or the stage's own. */
  readonly ordering: Ordering<A> | (<B>(stage: AsyncStage<A, B>) => CallOrder<A, B>);
}

/** Checks the options where the stage is made. */
export function asyncSetup<A>(operator: string, options: AsyncOptions<A>): AsyncSetup<A> {
  const { concurrency, timeoutMs } = options;
  checkConcurrency(operator, concurrency);
  checkTimeout(operator, timeoutMs);
  callOrder(operator, options);
  return { stage: namedStage(operator, options), concurrency, timeoutMs, ordering: options };
}

/** Throws a UsageError for what is no time limit. */
export function checkTimeout(operator: string, timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs > 0 && timeoutMs < Infinity)) return;
  throw new UsageError(
    `${operator}: timeoutMs is a number of milliseconds above 0, not ${timeoutMs}`,
    'timeoutMs',
  );
}

/** Throws a UsageError for what is no number of calls. */
export function checkConcurrency(operator: string, concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency >= 1) return;
  throw new UsageError(
    `${operator}: concurrency is a whole number from 1, not ${concurrency}`,
    'concurrency',
  );
}

/**
 * A stage whose user function answers later: at most `concurrency` calls run, each over its attempts, in the order asked for. A call that
 * waits for its next attempt keeps its place and lends its slot. Calls whose claims are lost are aborted and given up.
 */
export abstract class AsyncStage<A, B>
  extends StageSubscriber<Delivery<A>, Delivery<B>>
  implements ClaimListener, KeepingStage
{
  private readonly stage: NamedStage<A>;
  private readonly concurrency: number;
  private readonly timeoutMs: number | undefined;
  private readonly order: CallOrder<A, B>;
  private readonly admitted = new Set<Call<A, B>>();
  private readonly ready = new Fifo<Call<A, B>>();
  private readonly due = new Fifo<Call<A, B>>();
  private readonly watch = new ClaimWatch(this);
  private running = 0;
  private pumping = false;
  private finished = false;

  constructor(out: Subscriber<Delivery<B>>, setup: AsyncSetup<A>) {
    super(out);
    this.stage = setup.stage;
    this.concurrency = setup.concurrency;
    this.timeoutMs = setup.timeoutMs;
    const { ordering } = setup;
    this.order =
      typeof ordering === 'function' ? ordering<B>(this) : callOrder<A, B>(setup.stage.name, ordering);
    this.add(() => this.abandon());
    announce(this);
  }

  get stageName(): string {
    return this.stage.name;
  }

  get calls(): number {
    return this.running;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const call of this.admitted) if (test(call.delivery)) return true;
    return this.order.keepsSome(test);
  }

  /** Begins an attempt; it ends in `finish` or `failed`, once, at any time. */
  protected abstract run(call: Call<A, B>): void;

  /** False while no call may start; `pump` when that is over. */
  protected mayStart(): boolean {
    return true;
  }

  /** The attempt is cut short by `cause`. */
  protected interrupt(call: Call<A, B>, cause: unknown): void {
    const { stop } = call;
    call.stop = undefined;
    stop?.();
    this.failed(call, cause);
  }

  /** False where `interrupt` is never called. */
  protected get isTimed(): boolean {
    return this.timeoutMs !== undefined;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    const call = new Call<A, B>(delivery);
    this.watch.see(delivery);
    try {
      this.order.admit(call, this.ready);
    } catch (cause) {
      applyPolicy(this.stage.onError, delivery, this.stageError(call, cause), Infinity);
      return;
    }
    // Its order may have had no use for it.
    if (call.done) return;
    this.admitted.add(call);
    // One that waits for its start is dropped there.
    if (handleOf(delivery).behind.onExpired !== undefined) {
      call.listen(() => {
        if (call.running) this.drop(call);
      });
    }
    this.pump();
  }

  /** Stops a call wherever it is, and answers with its delivery, or with what is left of it, for the caller to settle. */
  withdraw(call: Call<A, B>): Delivery<A> {
    this.admitted.delete(call);
    this.stopRunning(call);
    call.done = true;
    call.wait?.stop();
    call.wait = undefined;
    call.abort();
    call.close();
    return call.delivery;
  }

  override complete(): void {
    this.finished = true;
    this.completeWhenDone();
  }

  onLost(): void {
    for (const call of [...this.admitted]) {
      if (call.running && isDead(call.delivery)) this.drop(call);
    }
  }

  keeps(settlement: Settlement): boolean {
    for (const { delivery } of this.admitted) if (answersTo(delivery, settlement)) return true;
    return false;
  }

  protected emit(call: Call<A, B>, delivery: Delivery<B>): void {
    this.order.emit(call, delivery, this.out);
  }

  /** Nothing more comes of the call; its delivery is settled, handed over or given up. */
  protected finish(call: Call<A, B>): void {
    // What it emitted or settled last may have cost it its claim, and so have ended it already.
    if (!this.admitted.delete(call)) return;
    this.stopRunning(call);
    call.close();
    this.order.finished(call, this.ready, this.out);
    this.pump();
    this.completeWhenDone();
  }

  /** The attempt failed: the policy decides about the call's delivery. */
  protected failed(call: Call<A, B>, cause: unknown): void {
    this.stopRunning(call);
    call.release();
    const { delivery } = call;
    if (isDead(delivery)) {
      handleOf(delivery).giveUp();
      this.finish(call);
      return;
    }
    const delayMs = applyPolicy(this.stage.onError, delivery, this.stageError(call, cause));
    if (delayMs === undefined) {
      this.finish(call);
      return;
    }
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    call.wait = new RetryWait(delivery, delayMs, {
      onDue: () => {
        call.wait = undefined;
        call.attempt++;
        this.due.push(call);
        this.pump();
      },
      onGivenUp: () => {
        call.wait = undefined;
        this.finish(call);
      },
    });
    this.pump();
  }

  private stageError(call: Call<A, B>, cause: unknown): StageError<A> {
    const { value, attempt, delivery } = call;
    return new StageError({ stage: this.stage.name, value, attempt, origins: delivery.origins, cause });
  }

  protected pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.running < this.concurrency && !this.closed && this.mayStart()) {
      const call = this.due.shift() ?? this.ready.shift();
      if (call === undefined) break;
      if (!call.done) this.start(call);
    }
    this.pumping = false;
  }

  private start(call: Call<A, B>): void {
    if (isDead(call.delivery)) {
      this.drop(call);
      return;
    }
    call.running = true;
    this.running++;
    if (this.timeoutMs !== undefined) this.limit(call, this.timeoutMs);
    this.run(call);
  }

  // The policy first: what the user's function makes of the signal comes too late to be the cause.
  private limit(call: Call<A, B>, timeoutMs: number): void {
    call.limit(timeoutMs, () => {
      const abort = call.release();
      const cause = new StageTimeoutError(this.stage.name, timeoutMs);
      this.interrupt(call, cause);
      abort?.(cause);
    });
  }

  /** Gives up the calls that have yet to start on behalf of claims that are being given away. */
  protected dropEnding(): void {
    let dropped: boolean;
    do {
      dropped = false;
      for (const queue of [this.due, this.ready]) {
        for (let left = queue.size; left > 0; left--) {
          const call = queue.shift()!;
          if (isEnding(call.delivery)) {
            dropped = true;
            this.drop(call);
          } else queue.push(call);
        }
      }
      // One that is dropped makes way for the next of its key.
    } while (dropped);
  }

  private stopRunning(call: Call<A, B>): void {
    if (!call.running) return;
    call.running = false;
    this.running--;
  }

  private drop(call: Call<A, B>): void {
    this.giveUp(call);
    this.finish(call);
  }

  private giveUp(call: Call<A, B>): void {
    call.done = true;
    call.wait?.cancel();
    call.wait = undefined;
    call.abort();
    call.close();
    handleOf(call.delivery).giveUp();
    for (const output of call.outputs ?? []) handleOf(output).giveUp();
    call.outputs = undefined;
  }

  private completeWhenDone(): void {
    if (this.finished && this.admitted.size === 0 && this.order.idle) this.out.complete();
  }

  private abandon(): void {
    this.watch.close();
    for (const call of this.admitted) this.giveUp(call);
    this.admitted.clear();
    this.order.abandon();
  }
}
