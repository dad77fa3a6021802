import { Observable, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import type { NameOption } from '../flow/policy.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';

/** Fewer than this are not worth looking through for those that the operator derived. */
const FEW = 16;

/** What went into the plain operator and has not come out. */
class Inside<A> {
  private readonly deliveries = new Set<Delivery<A>>();
  private entered = 0;
  private left = 0;

  enter(delivery: Delivery<A>): void {
    this.entered++;
    this.deliveries.add(delivery);
  }

  leave(delivery: Delivery<A>): void {
    this.left++;
    this.deliveries.delete(delivery);
    // One that the operator derived comes out as another; the one that went in is in other hands.
    if (this.deliveries.size > FEW && this.deliveries.size > 2 * (this.entered - this.left))
      this.forgetInert();
  }

  /** What is wrong with what came out; undefined when all of it did, once. */
  problem(): UsageError | undefined {
    const { entered, left } = this;
    if (entered === left) return undefined;
    const advice =
      left < entered
        ? 'use dropping(...) for one that drops'
        : 'a delivery can be settled once; use flatMap or fanOut to make several of one';
    return new UsageError(
      `passing: ${entered} deliveries went into the operator and ${left} came out; ${advice}`,
    );
  }

  get size(): number {
    return this.deliveries.size;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const delivery of this.deliveries) if (test(delivery)) return true;
    return false;
  }

  giveUp(): void {
    for (const delivery of this.deliveries) handleOf(delivery).giveUp();
    this.deliveries.clear();
  }

  private forgetInert(): void {
    for (const delivery of this.deliveries) if (!handleOf(delivery).live) this.deliveries.delete(delivery);
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
    this.out.next(delivery);
  }

  override complete(): void {
    const problem = this.inside.problem();
    if (problem === undefined) super.complete();
    else this.error(problem);
  }
}

/**
 * Wraps a plain RxJS operator that lets the same deliveries out that went in, later or elsewhere: `delay`, `observeOn`, `concatMap` over the
 * same delivery. It settles nothing. An operator that turns out to have kept some is a UsageError when the flow completes; one that drops on
 * purpose belongs into `dropping`. What is inside when the flow is unsubscribed, or fails, is left unsettled.
 *
 * A claim that is given away waits for what is inside, at most its `drainTimeoutMs`.
 *
 * @acks Settles nothing: the same deliveries come out, later. What is inside when the flow is unsubscribed, or the operator fails, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab---|');
 * expectFlow(source.pipe(passing(rx.delay(2)))).toBe('--ab-|');
 * expectAcks(source).toBe('--ab');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(passing(delay(1_000), { name: 'in a second' }));
 * ```
 */
export function passing<A>(
  plain: MonoTypeOperatorFunction<Delivery<A>>,
  { name = 'passing' }: NameOption = {},
): Op<A, A> {
  return (flow) =>
    createFlow((out) => {
      const inside = new Inside<A>();
      const input = new Observable<Delivery<A>>((subscriber) =>
        flow.subscribe(new Entry<A>(subscriber, inside)),
      );
      plain(input).subscribe(new Exit<A>(out, inside, name));
    });
}
