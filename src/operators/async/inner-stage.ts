// A stage that subscribes an Observable of its own for each value: perRecord, switchByKey, exhaustByKey.
import { isObservable, type Observable, type Subscriber } from 'rxjs';
import { UsageError } from '../../errors.ts';
import { handleOf, type Delivery, type ForkNode } from '../../flow/delivery.ts';
import { InnerSubscriber } from '../../flow/stage-subscriber.ts';
import { AsyncStage, type AsyncSetup } from './async-stage.ts';
import type { Call, CallContext } from './call.ts';

const MAX_OUTSTANDING = 1_024;

/** The option with its default. Throws a UsageError for what is no number of values. */
export function checkMaxOutstanding(operator: string, maxOutstanding = MAX_OUTSTANDING): number {
  if (maxOutstanding >= 1) return maxOutstanding;
  throw new UsageError(
    `${operator}: maxOutstanding is a number from 1, not ${maxOutstanding}`,
    'maxOutstanding',
  );
}

type Project<A, B> = (value: A, context: CallContext) => Observable<B>;

/** A record settles when its Observable completes and all that it emitted has settled. */
export class InnerStage<A, B> extends AsyncStage<A, B> {
  private readonly operator: string;
  private readonly project: Project<A, B>;
  private readonly maxOutstanding: number;

  constructor(
    out: Subscriber<Delivery<B>>,
    operator: string,
    setup: AsyncSetup<A>,
    project: Project<A, B>,
    maxOutstanding: number,
  ) {
    super(out, setup);
    this.operator = operator;
    this.project = project;
    this.maxOutstanding = maxOutstanding;
  }

  protected override run(call: Call<A, B>): void {
    let inner: Observable<B>;
    try {
      inner = this.project(call.value, call.context());
      if (!isObservable(inner))
        throw new UsageError(`${this.operator}: the function answers with an Observable`);
    } catch (cause) {
      if (!call.done) this.failed(call, cause);
      return;
    }
    // The function itself may have ended the flow, or this call.
    if (call.done) return;
    const fork = handleOf(call.delivery).forkInto(undefined);
    const values = new Values<A, B>(this, call, fork);
    // What is left of the record when nobody listens any more is one more child, for whoever stopped it.
    call.stop = () => {
      call.delivery = fork.child(call.value);
      fork.close();
      values.unsubscribe();
    };
    inner.subscribe(values);
  }

  onValue(call: Call<A, B>, fork: ForkNode, value: B): boolean {
    if (fork.openChildren >= this.maxOutstanding) return false;
    this.emit(call, fork.child(value));
    return true;
  }

  onComplete(call: Call<A, B>, fork: ForkNode): void {
    call.stop = undefined;
    fork.close();
    this.finish(call);
  }

  // The failure is one more child, so that the policy decides about it alone; what was emitted before settles by itself.
  onError(call: Call<A, B>, fork: ForkNode, cause: unknown): void {
    call.stop = undefined;
    call.delivery = fork.child(call.value);
    fork.close();
    this.failed(call, cause);
  }

  overflow(): UsageError {
    return new UsageError(
      `${this.operator}: the Observable of one record has ${this.maxOutstanding} unsettled values and emits more. An Observable cannot be ` +
        `slowed down: raise maxOutstanding, or bound it with an operator that states what it drops`,
      'maxOutstanding',
    );
  }
}

/** Listens to the Observable of one attempt. */
class Values<A, B> extends InnerSubscriber<B> {
  private readonly stage: InnerStage<A, B>;
  private readonly call: Call<A, B>;
  private readonly fork: ForkNode;

  constructor(stage: InnerStage<A, B>, call: Call<A, B>, fork: ForkNode) {
    super();
    this.stage = stage;
    this.call = call;
    this.fork = fork;
  }

  override next(value: B): void {
    if (this.closed) return;
    if (!this.stage.onValue(this.call, this.fork, value)) this.error(this.stage.overflow());
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.onError(this.call, this.fork, cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.onComplete(this.call, this.fork);
  }
}
