import type { Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { NameOption } from '../flow/policy.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { Branches } from './branches.ts';
import { titleOf } from './title.ts';

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

/**
 * Sends each delivery down several branches and merges what they emit. The record settles when every branch has settled its share; a nack of
 * any branch is a nack of the record, once the others are done. All branches share the credit, so the slowest sets the pace. From two branches to eight; a `name`
 * for messages comes last. There is no `onError`: no function of yours runs here, and the branches' stages have their own.
 *
 * @acks A record settles when every branch has settled its share; refused by one branch, it is refused once the others are done. The share of a branch
 * that has ended is acknowledged.
 *
 * @marbles
 * ```ts
 * const source = flow('a---b---|');
 * expectFlow(source.pipe(fanOut(map((x: string) => x), map((x: string) => x.toUpperCase())))).toBe('(aA)(bB)|');
 * expectAcks(source).toBe('a---b');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(fanOut(toTopic('all', asJson), (all) => all.pipe(filter(isLarge), toTopic('large', asJson))));
 * ```
 */
export function fanOut<A, B, C>(b: Op<A, B>, c: Op<A, C>, options?: NameOption): Op<A, B | C>;
export function fanOut<A, B, C, D>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  options?: NameOption,
): Op<A, B | C | D>;
export function fanOut<A, B, C, D, E>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  options?: NameOption,
): Op<A, B | C | D | E>;
export function fanOut<A, B, C, D, E, F>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  options?: NameOption,
): Op<A, B | C | D | E | F>;
export function fanOut<A, B, C, D, E, F, G>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  g: Op<A, G>,
  options?: NameOption,
): Op<A, B | C | D | E | F | G>;
export function fanOut<A, B, C, D, E, F, G, H>(
  b: Op<A, B>,
  c: Op<A, C>,
  d: Op<A, D>,
  e: Op<A, E>,
  f: Op<A, F>,
  g: Op<A, G>,
  h: Op<A, H>,
  options?: NameOption,
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
  options?: NameOption,
): Op<A, B | C | D | E | F | G | H | I>;
export function fanOut<A>(...given: readonly (Op<A, unknown> | NameOption | undefined)[]): Op<A, unknown> {
  const last = given.at(-1);
  const hasOptions = given.length > 0 && typeof last !== 'function';
  const branches = (hasOptions ? given.slice(0, -1) : given) as readonly Op<A, unknown>[];
  const title = titleOf('fanOut', hasOptions ? (last ?? {}) : {});
  if (branches.length < 2) throw new UsageError(`${title}: two branches at least`);
  return (flow) => {
    const all = new Branches<A>(title, branches);
    return createFlow<unknown>((out) => {
      const stage = new FanOutStage<A>(all.subscribe(out).flat());
      out.add(stage);
      flow.subscribe(stage);
    });
  };
}
