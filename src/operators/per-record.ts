import { isObservable, type Observable, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery, type ForkNode } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { AsyncStage, asyncSetup, type AsyncSetup } from './async/async-stage.ts';
import type { Ordering } from './async/call-order.ts';
import type { Call, CallContext } from './async/call.ts';

const MAX_OUTSTANDING = 1_024;

type Project<A, B> = (value: A, context: CallContext) => Observable<B>;

class PerRecordStage<A, B> extends AsyncStage<A, B> {
  private readonly project: Project<A, B>;
  private readonly maxOutstanding: number;

  constructor(
    out: Subscriber<Delivery<B>>,
    setup: AsyncSetup<A>,
    project: Project<A, B>,
    maxOutstanding: number,
  ) {
    super(out, setup);
    this.project = project;
    this.maxOutstanding = maxOutstanding;
  }

  protected override run(call: Call<A, B>): void {
    let inner: Observable<B>;
    try {
      inner = this.project(call.value, call.context());
      if (!isObservable(inner)) throw new UsageError('perRecord: the function answers with an Observable');
    } catch (cause) {
      if (!call.done) this.failed(call, cause);
      return;
    }
    // The function itself may have ended the flow.
    if (call.done) return;
    const fork = handleOf(call.delivery).forkInto(undefined);
    const values = new Values<A, B>(this, call, fork);
    call.stop = () => {
      values.unsubscribe();
      fork.abandon();
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
      `perRecord: the Observable of one record has ${this.maxOutstanding} unsettled values and emits more. An Observable cannot be ` +
        `slowed down: raise maxOutstanding, or bound it with an operator that states what it drops`,
      'maxOutstanding',
    );
  }
}

/** Listens to the Observable of one attempt. */
class Values<A, B> extends InnerSubscriber<B> {
  private readonly stage: PerRecordStage<A, B>;
  private readonly call: Call<A, B>;
  private readonly fork: ForkNode;

  constructor(stage: PerRecordStage<A, B>, call: Call<A, B>, fork: ForkNode) {
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

/**
 * Any plain RxJS for each record by itself: the record settles when its Observable completes and all that it emitted has settled. At most
 * `concurrency` Observables are subscribed. One that has `maxOutstanding` (default 1,024) unsettled values and emits another fails, by
 * `onError`; a retry subscribes anew.
 *
 * @example
 * ```ts
 * ids.pipe(perRecord((id, { signal }) => pages(id, signal).pipe(take(10)), { concurrency: 4, order: 'none' }));
 * ```
 */
export function perRecord<A, B>(
  project: (value: A, context: CallContext) => Observable<B>,
  options: { readonly concurrency: number; readonly maxOutstanding?: number | undefined } & Ordering<
    NoInfer<A>
  > &
    StageOptions<NoInfer<A>>,
): Op<A, B> {
  const setup = asyncSetup<A>('perRecord', options);
  const { maxOutstanding = MAX_OUTSTANDING } = options;
  if (!(maxOutstanding >= 1)) {
    throw new UsageError(
      `perRecord: maxOutstanding is a number from 1, not ${maxOutstanding}`,
      'maxOutstanding',
    );
  }
  return (flow) =>
    createFlow((out) => flow.subscribe(new PerRecordStage(out, setup, project, maxOutstanding)));
}
