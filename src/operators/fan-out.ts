import { from, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { mergeInner } from '../flow/merge-inner.ts';
import type { Op } from '../flow/op.ts';
import { isFlow } from '../flow/stage-guard.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';

/** Gives every branch its own share of each delivery. */
class FanOutStage<A> extends InnerSubscriber<Delivery<A>> {
  private readonly inputs: readonly Subscriber<Delivery<A>>[];

  constructor(inputs: readonly Subscriber<Delivery<A>>[]) {
    super();
    this.inputs = inputs;
  }

  // A branch that has ended wants none; its share is settled, as it would be for a `filter`.
  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    const { value } = delivery;
    const fork = handleOf(delivery).fork();
    for (const input of this.inputs) {
      if (!input.closed) input.next(fork.child(value));
    }
    if (this.closed) fork.abandon();
    else fork.close();
  }

  override error(cause: unknown): void {
    for (const input of this.inputs) input.error(cause);
  }

  override complete(): void {
    for (const input of this.inputs) input.complete();
  }
}

/** The branches of one fanOut, put together where the pipe is; `inputs` is where a subscription collects their ends. */
class Branches<A> {
  private readonly outputs: readonly Flow<unknown>[];
  private inputs: Subscriber<Delivery<A>>[] | undefined;

  constructor(branches: readonly Op<A, unknown>[]) {
    this.outputs = branches.map((branch, at) => {
      const output: unknown = branch(createFlow<A>((input) => this.attach(input)));
      if (!isFlow(output)) throw new UsageError(`fanOut: branch ${at + 1} did not answer with a Flow`);
      return output as Flow<unknown>;
    });
  }

  /** Subscribes the branches into `out`, and answers with their inputs. */
  subscribe(out: Subscriber<Delivery<unknown>>): readonly Subscriber<Delivery<A>>[] {
    const inputs: Subscriber<Delivery<A>>[] = [];
    this.inputs = inputs;
    mergeInner<Flow<unknown>, unknown>(from(this.outputs), (flow) => flow, out);
    this.inputs = undefined;
    return inputs;
  }

  private attach(input: Subscriber<Delivery<A>>): void {
    if (this.inputs === undefined) {
      throw new UsageError(
        'fanOut: a branch subscribes its flow when the fanOut is subscribed, not later and not elsewhere',
      );
    }
    this.inputs.push(input);
  }
}

/**
 * Sends each delivery down several branches and merges what they emit. The record settles when every branch has settled its share; a nack of
 * any branch is a nack of the record, once the others are done. All branches share the credit, so the slowest sets the pace.
 *
 * @example
 * ```ts
 * orders.pipe(fanOut(toTopic('all', asJson), (all) => all.pipe(filter(isLarge), toTopic('large', asJson))));
 * ```
 */
export function fanOut<A, B, C>(b: Op<A, B>, c: Op<A, C>): Op<A, B | C>;
export function fanOut<A, B, C, D>(b: Op<A, B>, c: Op<A, C>, d: Op<A, D>): Op<A, B | C | D>;
export function fanOut<A, B, C, D, E>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
): Op<A, B | C | D | E>;
export function fanOut<A, B, C, D, E, F>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
): Op<A, B | C | D | E | F>;
export function fanOut<A, B, C, D, E, F, G>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  g: Op<A, G>,
): Op<A, B | C | D | E | F | G>;
export function fanOut<A, B, C, D, E, F, G, H>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  g: Op<A, G>,
  h: Op<A, H>,
): Op<A, B | C | D | E | F | G | H>;
export function fanOut<A, B, C, D, E, F, G, H, I>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  g: Op<A, G>,
  h: Op<A, H>,
  i: Op<A, I>,
): Op<A, B | C | D | E | F | G | H | I>;
export function fanOut<A>(...branches: readonly Op<A, unknown>[]): Op<A, unknown> {
  if (branches.length < 2) throw new UsageError('fanOut: two branches at least');
  return (flow) => {
    const all = new Branches<A>(branches);
    return createFlow<unknown>((out) => {
      const stage = new FanOutStage<A>(all.subscribe(out));
      out.add(stage);
      flow.subscribe(stage);
    });
  };
}
