import { Observable, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import type { NameOption } from '../flow/policy.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** What went into the plain operator and has not come out, oldest first. */
class Inside<A> {
  private readonly retains: number;
  private deliveries: Delivery<A>[] = [];

  constructor(retains: number) {
    this.retains = retains;
  }

  enter(delivery: Delivery<A>): void {
    this.deliveries.push(delivery);
  }

  leave(delivery: Delivery<A>): void {
    const at = this.deliveries.indexOf(delivery);
    if (at >= 0) this.deliveries.splice(at, 1);
  }

  /** The operator is done with an input: of what it can still keep, only the youngest `retains` may yet come out. */
  settleDropped(keep = this.retains): void {
    while (this.deliveries.length > keep) {
      const dropped = this.deliveries.shift()!;
      // One the operator derived is in other hands.
      if (handleOf(dropped).live) dropped.ack();
    }
  }

  get size(): number {
    return this.deliveries.length;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.deliveries.some(test);
  }

  giveUp(): void {
    for (const delivery of this.deliveries) handleOf(delivery).giveUp();
    this.deliveries = [];
  }
}

class Entry<A> extends StageSubscriber<Delivery<A>, Delivery<A>> {
  private readonly inside: Inside<A>;

  constructor(out: Subscriber<Delivery<A>>, inside: Inside<A>) {
    super(out);
    this.inside = inside;
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    this.inside.enter(delivery);
    this.out.next(delivery);
    this.inside.settleDropped();
  }
}

class Exit<A> extends StageSubscriber<Delivery<A>, Delivery<A>> implements KeepingStage {
  readonly stageName: string;
  private readonly inside: Inside<A>;

  constructor(out: Subscriber<Delivery<A>>, inside: Inside<A>, stageName: string) {
    super(out);
    this.inside = inside;
    this.stageName = stageName;
    this.add(() => inside.giveUp());
    announce(this);
  }

  get calls(): number {
    return this.inside.size;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.inside.keepsSome(test);
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    this.inside.leave(delivery);
    if (handleOf(delivery).live) this.out.next(delivery);
    else {
      this.error(
        new UsageError(
          'dropping: the operator emitted a delivery that had been settled as dropped. It keeps more than it was said to: use ' +
            'dropping(operator, 1), or passing(operator) where it drops nothing; or it emits one delivery twice',
          'retains',
        ),
      );
    }
  }

  override complete(): void {
    this.inside.settleDropped(0);
    super.complete();
  }
}

/**
 * Wraps a plain RxJS operator that drops values, and acknowledges what it drops. `retains` is how many of the latest values it may still emit
 * later: 0 for `filter`, `distinctUntilChanged`, `skip`, `take`, leading `throttle`; 1 for `debounceTime`, `auditTime`, `sampleTime`, trailing
 * `throttle`. Without it such an operator stalls its source: what it dropped would never settle. What it still keeps is acknowledged when the
 * operator completes, and left unsettled when the flow is unsubscribed or the operator fails, which ends the flow: an error inside a plain operator
 * is nobody's record.
 *
 * A claim that is given away waits for what the operator keeps of it, at most its `drainTimeoutMs`; inside `eachClaim` the end of the claim ends
 * the operator's wait.
 *
 * @acks What the operator drops is acknowledged: when the next value comes, or the operator completes. What it emits is settled by what follows; what it
 * keeps when the flow is unsubscribed, or the operator fails, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-----c|');
 * expectFlow(source.pipe(dropping(rx.debounceTime(3), 1))).toBe('----b---(c|)');
 * expectAcks(source).toBe('-a--b---c');
 * ```
 *
 * @example
 * ```ts
 * sensors.pipe(dropping(debounceTime(100), 1, { name: 'calm' }));
 * ```
 */
export function dropping<A>(
  plain: MonoTypeOperatorFunction<Delivery<A>>,
  retains: 0 | 1,
  { name = 'dropping' }: NameOption = {},
): Op<A, A> {
  if (retains !== 0 && retains !== 1) {
    throw new UsageError(`dropping: retains is 0 or 1, not ${String(retains)}`, 'retains');
  }
  return (flow) =>
    createFlow((out) => {
      const inside = new Inside<A>(retains);
      const input = new Observable<Delivery<A>>((subscriber) =>
        flow.subscribe(new Entry<A>(subscriber, inside)),
      );
      plain(input).subscribe(new Exit<A>(out, inside, name));
    });
}
