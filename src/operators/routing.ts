// A stage that sends each delivery down one of several branches.
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { Branches, type BranchInputs } from './branches.ts';

/** Passes each delivery on to the branch that was chosen for it. */
class Router<A> extends InnerSubscriber<Delivery<A>> {
  /** Of the next delivery; -1: none takes it. */
  chosen = -1;
  private readonly inputs: BranchInputs<A>;

  constructor(inputs: BranchInputs<A>) {
    super();
    this.inputs = inputs;
  }

  // A branch that has ended wants none; its share is settled, as it would be for a `filter`.
  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    const input = this.inputs[this.chosen]?.[0];
    if (input === undefined || input.closed) delivery.ack();
    else input.next(delivery);
  }

  override error(cause: unknown): void {
    for (const [input] of this.inputs) input?.error(cause);
  }

  override complete(): void {
    for (const [input] of this.inputs) input?.complete();
  }
}

class RoutingStage<A> extends ValueStage<A, A> {
  private readonly router: Router<A>;
  private readonly choose: (value: A) => number;

  constructor(router: Router<A>, stage: NamedStage<A>, choose: (value: A) => number) {
    super(router, stage);
    this.router = router;
    this.choose = choose;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    let chosen: number;
    try {
      chosen = this.choose(delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.router.chosen = chosen;
    this.router.next(delivery);
  }
}

/** Sends each value down the branch whose number `choose` answers with, and merges what they emit. -1: none; it is acknowledged. */
export function routing<A>(
  operator: string,
  stage: NamedStage<A>,
  branches: readonly Op<A, unknown>[],
  choose: (value: A) => number,
): Op<A, unknown> {
  return (flow) => {
    const all = new Branches<A>(operator, branches);
    return createFlow<unknown>((out) => {
      const inputs = all.subscribe(out);
      if (inputs.some(({ length }) => length > 1))
        throw new UsageError(
          `${operator}: a branch subscribes its flow once; inside it, fanOut sends it several ways`,
        );
      const router = new Router<A>(inputs);
      out.add(router);
      flow.subscribe(new RoutingStage(router, stage, choose));
    });
  };
}
