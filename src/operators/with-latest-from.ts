import { isObservable, type Observable, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import { answersTo } from '../flow/answers-to.ts';
import { ClaimWatch, type ClaimListener } from '../flow/claim-watch.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { FlowEnd, Op } from '../flow/op.ts';
import { isEnding, type StageOptions } from '../flow/policy.ts';
import type { Settlement } from '../flow/settlement.ts';
import { isFlow } from '../flow/stage-guard.ts';
import { InnerSubscriber } from '../flow/stage-subscriber.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';

/** An Observable that is no Flow: what it emits belongs to no record. */
export type Plain<T> = Observable<T> & { readonly [end in keyof FlowEnd]?: never };

class LatestStage<A, T, R> extends ValueStage<A, R> implements ClaimListener {
  private readonly project: (value: A, latest: T) => R;
  private readonly watch = new ClaimWatch(this);
  /** Came before the Observable's first value. */
  private waiting: Delivery<A>[] = [];
  private latest: { readonly value: T } | undefined;
  private isSilent = false;
  private finishing = false;

  constructor(
    out: Subscriber<Delivery<R>>,
    stage: NamedStage<A>,
    other: Observable<T>,
    project: (value: A, latest: T) => R,
  ) {
    super(out, stage);
    this.project = project;
    this.add(() => this.abandon());
    const input = new Input<T>(this);
    this.add(input);
    other.subscribe(input);
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.waiting.some(test) || super.keepsSome(test);
  }

  onOther(value: T): void {
    this.latest = { value };
    this.takeUpWaiting();
  }

  /** It completed; a latest value stays the latest. */
  onSilence(): void {
    this.isSilent = true;
    this.takeUpWaiting();
  }

  onRevoking(): void {
    this.giveUpEnding();
  }

  onLost(): void {
    this.giveUpEnding();
  }

  keeps(settlement: Settlement): boolean {
    return this.waiting.some((delivery) => answersTo(delivery, settlement));
  }

  protected override process(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    if (this.latest === undefined && !this.isSilent) {
      this.putAside(delivery);
      return;
    }
    let result: R;
    try {
      if (this.latest === undefined)
        throw new UsageError('withLatestFrom: the Observable completed without a value', 'other');
      result = this.project(delivery.value, this.latest.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.out.next(delivery.derive(result));
  }

  protected override end(): void {
    this.finishing = true;
    if (this.waiting.length === 0) super.end();
  }

  private putAside(delivery: Delivery<A>): void {
    // Nobody knows when the wait will be over: a claim that ends leaves its records to the next owner.
    if (isEnding(delivery)) {
      handleOf(delivery).giveUp();
      return;
    }
    this.watch.see(delivery);
    this.waiting.push(delivery);
  }

  private takeUpWaiting(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.busy = true;
    for (const delivery of waiting) this.enqueue(delivery);
    this.goOn();
    if (this.finishing && !this.busy) this.end();
  }

  private giveUpEnding(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = waiting.filter((delivery) => !isEnding(delivery));
    for (const delivery of waiting) if (isEnding(delivery)) handleOf(delivery).giveUp();
    if (this.finishing) this.end();
  }

  private abandon(): void {
    this.watch.close();
    for (const delivery of this.waiting) handleOf(delivery).giveUp();
    this.waiting = [];
  }
}

/** What is heard of the plain Observable. */
interface Listener<T> {
  onOther(value: T): void;
  onSilence(): void;
  error(cause: unknown): void;
}

class Input<T> extends InnerSubscriber<T> {
  private readonly stage: Listener<T>;

  constructor(stage: Listener<T>) {
    super();
    this.stage = stage;
  }

  override next(value: T): void {
    if (!this.closed) this.stage.onOther(value);
  }

  override error(cause: unknown): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.error(cause);
  }

  override complete(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.stage.onSilence();
  }
}

const pair = <A, T>(value: A, latest: T): readonly [A, T] => [value, latest];

/**
 * Puts each value together with the latest one of a plain Observable, as RxJS's `withLatestFrom`: settings, prices, a table that is read elsewhere. Which value
 * that is depends on when it came, so a replay may see another.
 *
 * Where RxJS drops what comes before the Observable's first value, here it waits for that, under the source's credit. An Observable that fails ends the flow;
 * one that completes without a value is a failure of every value that waits or comes. A claim that is given away or lost leaves what waits to the next owner.
 *
 * @acks Settles nothing: the result carries its record on. What waits when its claim ends, or the flow is unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-----c|');
 * const rates = rx.timer(2, 1).pipe(rx.take(2));
 * const rated = withLatestFrom(rates, (value: string, rate) => `${value}${rate}`);
 * expectFlow(source.pipe(rated)).toBe('--(xy)-z|', { x: 'a0', y: 'b0', z: 'c1' });
 * expectAcks(source).toBe('--(ab)-c');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(withLatestFrom(rates$, (order, rates) => ({ ...order.value, rate: rates.get(order.value.currency) })));
 * ```
 */
export function withLatestFrom<A, T, R>(
  other: Plain<T>,
  project: (value: A, latest: T) => R,
  options?: StageOptions<NoInfer<A>>,
): Op<A, R>;
export function withLatestFrom<A, T>(
  other: Plain<T>,
  options?: StageOptions<NoInfer<A>>,
): Op<A, readonly [A, T]>;
export function withLatestFrom<A, T>(
  other: Observable<T>,
  projectOrOptions?: ((value: A, latest: T) => unknown) | StageOptions<A>,
  rest?: StageOptions<A>,
): Op<A, unknown> {
  if (!isObservable(other) || isFlow(other))
    throw new UsageError('withLatestFrom: the first argument is a plain Observable, and no Flow', 'other');
  const project = typeof projectOrOptions === 'function' ? projectOrOptions : pair<A, T>;
  const options = typeof projectOrOptions === 'function' ? rest : projectOrOptions;
  const stage = namedStage('withLatestFrom', options);
  return (flow) =>
    createFlow((out) => flow.subscribe(new LatestStage<A, T, unknown>(out, stage, other, project)));
}
