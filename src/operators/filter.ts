import type { Subscriber } from 'rxjs';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

class FilterStage<A> extends ValueStage<A, A> {
  private readonly predicate: (value: A) => boolean;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, predicate: (value: A) => boolean) {
    super(out, stage);
    this.predicate = predicate;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    let pass: boolean;
    try {
      pass = this.predicate(delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    if (pass) this.out.next(delivery);
    else delivery.ack();
  }
}

/**
 * Lets the values pass for which `predicate` holds. The others are acknowledged: filtered is settled.
 *
 * @acks What does not pass is acknowledged at once; what passes is settled by what follows.
 *
 * @marbles
 * ```ts
 * const source = flow('abc|');
 * expectFlow(source.pipe(filter((x) => x !== 'b'))).toBe('a-c|');
 * expectAcks(source).toBe('abc');
 * ```
 */
export function filter<A, B extends A>(
  predicate: (value: A) => value is B,
  options?: StageOptions<NoInfer<A>>,
): Op<A, B>;
export function filter<A>(predicate: (value: A) => boolean, options?: StageOptions<NoInfer<A>>): Op<A, A>;
export function filter<A>(predicate: (value: A) => boolean, options?: StageOptions<A>): Op<A, A> {
  const stage = namedStage('filter', options);
  return (flow) => createFlow((out) => flow.subscribe(new FilterStage(out, stage, predicate)));
}
