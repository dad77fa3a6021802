import { Observable, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** Counts deliveries on both sides of the plain operator. */
class Counter<A> extends StageSubscriber<Delivery<A>, Delivery<A>> {
  private readonly count: () => void;
  private readonly check: (() => UsageError | undefined) | undefined;

  constructor(out: Subscriber<Delivery<A>>, count: () => void, check?: () => UsageError | undefined) {
    super(out);
    this.count = count;
    this.check = check;
  }

  override next(delivery: Delivery<A>): void {
    this.count();
    this.out.next(delivery);
  }

  override complete(): void {
    const problem = this.check?.();
    if (problem === undefined) super.complete();
    else this.error(problem);
  }
}

/**
 * Wraps a plain RxJS operator that lets the same deliveries out that went in, later or elsewhere: `delay`, `observeOn`, `concatMap` over the
 * same delivery. It settles nothing. An operator that turns out to have kept some is a UsageError when the flow completes; one that drops on
 * purpose belongs into `dropping`.
 *
 * @example
 * ```ts
 * orders.pipe(passing(delay(1_000)));
 * ```
 */
export function passing<A>(plain: MonoTypeOperatorFunction<Delivery<A>>): Op<A, A> {
  return (flow) =>
    createFlow((out) => {
      let entered = 0;
      let left = 0;
      const input = new Observable<Delivery<A>>((subscriber) =>
        flow.subscribe(new Counter<A>(subscriber, () => entered++)),
      );
      const kept = (): UsageError | undefined =>
        entered === left
          ? undefined
          : new UsageError(
              `passing: ${entered} deliveries went into the operator and ${left} came out; use dropping(...) for one that drops`,
            );
      plain(input).subscribe(new Counter<A>(out, () => left++, kept));
    });
}
