import type { Subscriber } from 'rxjs';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

class TapStage<A> extends ValueStage<A, A> {
  private readonly effect: (value: A) => void;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, effect: (value: A) => void) {
    super(out, stage);
    this.effect = effect;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  protected override process(delivery: Delivery<A>): void {
    try {
      this.effect(delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.out.next(delivery);
  }
}

/**
 * Calls `effect` with each value and passes the same delivery on. It is not awaited: for a promise, use `mapAsync`.
 *
 * @acks Settles nothing on success: the same deliveries come out.
 *
 * @marbles
 * ```ts
 * const source = flow('ab|');
 * const seen: string[] = [];
 * expectFlow(source.pipe(tap((x) => void seen.push(x)))).toBe('ab|');
 * expectAcks(source).toBe('ab');
 * ```
 */
export function tap<A>(effect: (value: A) => void, options?: StageOptions<NoInfer<A>>): Op<A, A> {
  const stage = namedStage('tap', options);
  return (flow) => createFlow((out) => flow.subscribe(new TapStage(out, stage, effect)));
}
