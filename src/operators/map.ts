import type { Subscriber } from 'rxjs';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

class MapStage<A, B> extends ValueStage<A, B> {
  private readonly project: (value: A) => B;

  constructor(out: Subscriber<Delivery<B>>, stage: NamedStage<A>, project: (value: A) => B) {
    super(out, stage);
    this.project = project;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    let result: B;
    try {
      result = this.project(delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.out.next(delivery.derive(result));
  }
}

/**
 * Replaces each value by what `project` makes of it. The record is settled by what follows.
 *
 * @acks Settles nothing on success: the result carries its record on.
 *
 * @marbles
 * ```ts
 * const source = flow('ab|');
 * expectFlow(source.pipe(map((x) => x.toUpperCase()))).toBe('AB|');
 * expectAcks(source).toBe('ab');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(map((order) => order.value.total));
 * ```
 */
export function map<A, B>(project: (value: A) => B, options?: StageOptions<NoInfer<A>>): Op<A, B> {
  const stage = namedStage('map', options);
  return (flow) => createFlow((out) => flow.subscribe(new MapStage(out, stage, project)));
}
