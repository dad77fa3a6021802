import type { Subscriber } from 'rxjs';
import { handleOf, type Delivery } from './delivery.ts';
import { Fifo } from './fifo.ts';
import { announce, type KeepingStage } from './keeping-stage.ts';
import { applyPolicy, checkOnError, type StageOptions } from './policy.ts';
import { RetryWait, type Waiter } from './retry-wait.ts';
import { StageError } from './stage-error.ts';
import { StageSubscriber } from './stage-subscriber.ts';

/** A stage's options with its name; checked once, where the stage is made. */
export interface NamedStage<A> {
  readonly name: string;
  readonly onError: StageOptions<A>['onError'];
}

/** Fills in the operator's name and refuses an `onError` that is no policy. */
export function namedStage<A>(operator: string, options: StageOptions<A> | undefined): NamedStage<A> {
  checkOnError(operator, options?.onError);
  return { name: options?.name ?? operator, onError: options?.onError };
}

/**
 * A stage whose user function answers at once. While a failed value waits for its next attempt, what arrives waits behind it, so that the
 * stage keeps its order; the claims' credit bounds how much that is.
 */
export abstract class ValueStage<A, B>
  extends StageSubscriber<Delivery<A>, Delivery<B>>
  implements Waiter<A>, KeepingStage
{
  /** While true, what arrives goes to `enqueue`; all that a subclass's `next` has to look at. */
  protected busy = false;
  private readonly stage: NamedStage<A>;
  private readonly queue = new Fifo<Delivery<A>>();
  private wait: RetryWait<A> | undefined;
  private attempt = 1;
  private goingOn = false;
  private finished = false;
  private guarded = false;

  constructor(out: Subscriber<Delivery<B>>, stage: NamedStage<A>) {
    super(out);
    this.stage = stage;
    announce(this);
  }

  get stageName(): string {
    return this.stage.name;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return (this.wait !== undefined && test(this.wait.delivery)) || this.queue.some(test);
  }

  /** Runs the user's function and passes the result on, or calls `failed`. */
  protected abstract process(delivery: Delivery<A>): void;

  override complete(): void {
    this.finished = true;
    if (!this.busy) this.end();
  }

  /** Nothing more will be processed; a stage that keeps something emits it first. */
  protected end(): void {
    super.complete();
  }

  onDue(delivery: Delivery<A>): void {
    this.wait = undefined;
    this.process(delivery);
    this.goOn();
  }

  onGivenUp(): void {
    this.wait = undefined;
    this.goOn();
  }

  protected enqueue(delivery: Delivery<A>): void {
    if (this.closed) return;
    this.guard();
    this.queue.push(delivery);
  }

  /** The user's function threw `cause` for `delivery`. */
  protected failed(delivery: Delivery<A>, cause: unknown): void {
    const { value, origins } = delivery;
    const { name, onError } = this.stage;
    const error = new StageError({ stage: name, value, attempt: this.attempt, origins, cause });
    const delayMs = applyPolicy(onError, delivery, error);
    if (delayMs === undefined) return;
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    this.guard();
    this.busy = true;
    this.attempt++;
    this.wait = new RetryWait(delivery, delayMs, this);
  }

  /** True while a subclass is not done with the delivery it was given last. */
  protected working(): boolean {
    return false;
  }

  /** Takes up what queued, unless something is still being waited for. */
  protected goOn(): void {
    if (this.goingOn) return;
    this.goingOn = true;
    while (this.wait === undefined && !this.working() && !this.closed) {
      this.attempt = 1;
      const next = this.queue.shift();
      if (next === undefined) {
        this.busy = false;
        if (this.finished) this.end();
        break;
      }
      this.process(next);
    }
    this.goingOn = false;
  }

  // What waits when the stage is unsubscribed stays unsettled on purpose.
  private guard(): void {
    if (this.guarded) return;
    this.guarded = true;
    this.add(() => {
      this.wait?.cancel();
      this.wait = undefined;
      for (let left = this.queue.shift(); left !== undefined; left = this.queue.shift())
        handleOf(left).giveUp();
    });
  }
}
