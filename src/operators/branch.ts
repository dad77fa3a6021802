import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { Branches, type BranchInputs } from './branches.ts';

/** A branch and what goes down it; made by {@link when}, {@link whenIs} and {@link otherwise}. */
export interface Case<in A, out B> {
  readonly takes: (value: A) => boolean;
  readonly then: (flow: never) => unknown;
  /** For inference alone: what comes out of the branch. */
  readonly emits?: () => B;
}

/** Where a value goes for which `takes` holds, if no case before it took it. */
export function when<A, B>(takes: (value: A) => boolean, then: Op<A, B>): Case<A, B> {
  if (typeof takes !== 'function') throw new UsageError('when: the first argument is a predicate', 'takes');
  if (typeof then !== 'function') throw new UsageError('when: the second argument is an operator', 'then');
  return { takes, then };
}

/** As {@link when}, with a type guard, which narrows what the branch gets. */
export function whenIs<A, S extends A, B>(takes: (value: A) => value is S, then: Op<S, B>): Case<A, B> {
  return when(takes, then as Op<A, B>);
}

/** Where every value goes that no case before it took; the last case, if any. */
export function otherwise<A, B>(then: Op<A, B>): Case<A, B> {
  return when<A, B>(() => true, then);
}

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

class BranchStage<A> extends ValueStage<A, A> {
  private readonly router: Router<A>;
  private readonly cases: readonly Case<A, unknown>[];

  constructor(router: Router<A>, stage: NamedStage<A>, cases: readonly Case<A, unknown>[]) {
    super(router, stage);
    this.router = router;
    this.cases = cases;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    let chosen: number;
    try {
      const { value } = delivery;
      chosen = this.cases.findIndex(({ takes }) => takes(value));
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.router.chosen = chosen;
    this.router.next(delivery);
  }
}

/**
 * Sends each value down the first branch whose case takes it, and merges what the branches emit. The record is settled by that branch; a value that no
 * case takes is acknowledged, as by `filter`; one for which a case throws is a `fail`. All branches share the credit, so the slowest sets the pace.
 *
 * @example
 * ```ts
 * orders.pipe(
 *   branch(
 *     when((order) => order.value.total > 1_000, toTopic('large', asJson)),
 *     when((order) => order.value.total > 0, toTopic('small', asJson)),
 *     otherwise(toTopic('odd', asJson)),
 *   ),
 * );
 * ```
 */
export function branch<A, B>(b: Case<A, B>): Op<A, B>;
export function branch<A, B, C>(b: Case<A, B>, c: Case<A, C>): Op<A, B | C>;
export function branch<A, B, C, D>(b: Case<A, B>, c: Case<A, C>, d: Case<A, D>): Op<A, B | C | D>;
export function branch<A, B, C, D, E>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
): Op<A, B | C | D | E>;
export function branch<A, B, C, D, E, F>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
): Op<A, B | C | D | E | F>;
export function branch<A, B, C, D, E, F, G>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
): Op<A, B | C | D | E | F | G>;
export function branch<A, B, C, D, E, F, G, H>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
): Op<A, B | C | D | E | F | G | H>;
export function branch<A, B, C, D, E, F, G, H, I>(
  b: Case<A, B>,
  c: Case<A, C>,
  d: Case<A, D>,
  e: Case<A, E>,
  f: Case<A, F>,
  g: Case<A, G>,
  h: Case<A, H>,
  i: Case<A, I>,
): Op<A, B | C | D | E | F | G | H | I>;
export function branch<A>(...cases: readonly Case<A, unknown>[]): Op<A, unknown> {
  if (cases.length === 0) throw new UsageError('branch: one case at least, made by when or otherwise');
  const stage = namedStage<A>('branch', undefined);
  return (flow) => {
    const all = new Branches<A>(
      stage.name,
      cases.map(({ then }) => then as Op<A, unknown>),
    );
    return createFlow<unknown>((out) => {
      const inputs = all.subscribe(out);
      if (inputs.some(({ length }) => length > 1))
        throw new UsageError(
          'branch: a branch subscribes its flow once; inside it, fanOut sends it several ways',
        );
      const router = new Router<A>(inputs);
      out.add(router);
      flow.subscribe(new BranchStage(router, stage, cases));
    });
  };
}
