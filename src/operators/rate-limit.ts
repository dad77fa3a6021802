import type { Subscriber } from 'rxjs';
import { systemClock, type Clock, type Timer } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { answersTo } from '../flow/answers-to.ts';
import { ClaimWatch, type ClaimListener } from '../flow/claim-watch.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { Fifo } from '../flow/fifo.ts';
import { createFlow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { Op } from '../flow/op.ts';
import { applyPolicy, isEnding, type StageOptions } from '../flow/policy.ts';
import type { Settlement } from '../flow/settlement.ts';
import { StageError } from '../flow/stage-error.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';
import { namedStage, type NamedStage } from '../flow/value-stage.ts';

/** Options of {@link rateLimit}. */
export interface RateLimitOptions<A> extends StageOptions<A> {
  /** So many records, or so much of `weight`, pass per interval. */
  readonly records: number;
  /** The interval in milliseconds. */
  readonly perMs: number;
  /** How much may pass at once after a pause; what is saved up. Default: `records`. */
  readonly burst?: number | undefined;
  /** How much a value counts, from 0 to `burst`; for example its size. Default 1. */
  readonly weight?: ((value: A) => number) | undefined;
}

/** Time is counted in fractions; what is missing less than this is not waited for. */
const TOLERANCE_MS = 1e-6;

/**
 * The generic cell rate algorithm: a token bucket that remembers one moment, that at which the bucket would be full again, and so needs no timer to fill.
 */
export class RateMeter {
  private readonly msPerUnit: number;
  private readonly burst: number;
  private fullAtMs = -Infinity;

  constructor(records: number, perMs: number, burst: number) {
    this.msPerUnit = perMs / records;
    this.burst = burst;
  }

  /** 0 when `weight` may pass now, and then it is counted; else for how long to wait. */
  take(weight: number, nowMs: number): number {
    const fullAtMs = Math.max(this.fullAtMs, nowMs) + weight * this.msPerUnit;
    const waitMs = fullAtMs - nowMs - this.burst * this.msPerUnit;
    if (waitMs > TOLERANCE_MS) return waitMs;
    this.fullAtMs = fullAtMs;
    return 0;
  }
}

interface Waiting<A> {
  readonly delivery: Delivery<A>;
  readonly weight: number;
}

class RateLimitStage<A>
  extends StageSubscriber<Delivery<A>, Delivery<A>>
  implements ClaimListener, KeepingStage
{
  private readonly stage: NamedStage<A>;
  private readonly weightOf: ((value: A) => number) | undefined;
  private readonly burst: number;
  private readonly meter: RateMeter;
  private readonly watch = new ClaimWatch(this);
  private waiting = new Fifo<Waiting<A>>();
  private timer: Timer | undefined;
  private finished = false;

  constructor(out: Subscriber<Delivery<A>>, stage: NamedStage<A>, options: RateLimitOptions<A>) {
    super(out);
    const { records, perMs, burst = records, weight } = options;
    this.stage = stage;
    this.weightOf = weight;
    this.burst = burst;
    this.meter = new RateMeter(records, perMs, burst);
    this.add(() => this.abandon());
    announce(this);
  }

  get stageName(): string {
    return this.stage.name;
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.waiting.some(({ delivery }) => test(delivery));
  }

  override next(delivery: Delivery<A>): void {
    if (this.closed) {
      handleOf(delivery).giveUp();
      return;
    }
    let weight: number;
    try {
      weight = this.checkedWeight(delivery.value);
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    if (this.waiting.size === 0) {
      const clock = clockOf(delivery);
      const waitMs = this.meter.take(weight, clock.now());
      if (waitMs === 0) {
        this.out.next(delivery);
        return;
      }
      if (!isEnding(delivery)) this.startTimer(clock, waitMs);
    }
    // On behalf of a claim that is being given away nothing is waited for.
    if (isEnding(delivery)) {
      handleOf(delivery).giveUp();
      return;
    }
    this.watch.see(delivery);
    this.waiting.push({ delivery, weight });
  }

  override complete(): void {
    this.finished = true;
    this.completeWhenDone();
  }

  onRevoking(): void {
    this.dropEnding();
  }

  onLost(): void {
    this.dropEnding();
  }

  keeps(settlement: Settlement): boolean {
    return this.waiting.some(({ delivery }) => answersTo(delivery, settlement));
  }

  private checkedWeight(value: A): number {
    if (this.weightOf === undefined) return 1;
    const weight = this.weightOf(value);
    if (weight >= 0 && weight <= this.burst) return weight;
    throw new UsageError(
      `${this.stage.name}: a weight is a number from 0 to burst (${this.burst}), not ${String(weight)}; more than that could never pass`,
      'weight',
    );
  }

  private failed(delivery: Delivery<A>, cause: unknown): void {
    const { value, origins } = delivery;
    const { name, onError } = this.stage;
    const error = new StageError<A>({ stage: name, value, attempt: 1, origins, cause });
    // The same value weighs the same the next time.
    applyPolicy(onError, delivery, error, Infinity);
  }

  private startTimer(clock: Clock, waitMs: number): void {
    this.timer?.cancel();
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      this.pass();
    }, waitMs);
  }

  // Passing one on may settle it, and bring the next one in before it returns: that goes behind those that wait.
  private pass(): void {
    for (let first = this.waiting.peek(); first !== undefined; first = this.waiting.peek()) {
      const clock = clockOf(first.delivery);
      const waitMs = this.meter.take(first.weight, clock.now());
      if (waitMs > 0) {
        this.startTimer(clock, waitMs);
        return;
      }
      this.waiting.shift();
      this.out.next(first.delivery);
    }
    this.completeWhenDone();
  }

  private dropEnding(): void {
    const { waiting } = this;
    this.waiting = new Fifo();
    const ending: Delivery<A>[] = [];
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      if (isEnding(one.delivery)) ending.push(one.delivery);
      else this.waiting.push(one);
    }
    for (const delivery of ending) handleOf(delivery).giveUp();
    if (this.waiting.size === 0) this.stopTimer();
    this.completeWhenDone();
  }

  private completeWhenDone(): void {
    if (!this.finished || this.waiting.size > 0) return;
    this.stopTimer();
    this.out.complete();
  }

  private stopTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private abandon(): void {
    this.watch.close();
    this.stopTimer();
    for (let left = this.waiting.shift(); left !== undefined; left = this.waiting.shift())
      handleOf(left.delivery).giveUp();
  }
}

function clockOf(delivery: Delivery<unknown>): Clock {
  return handleOf(delivery).behind.someSettlement()?.clock ?? systemClock;
}

/**
 * Lets at most `records` values pass per `perMs`, evenly, with up to `burst` at once after a pause; nothing is dropped. Values that are too many wait, in order, and
 * the source stops when its credit is used up by them. The limit is that of this stage: per flow, or per claim inside `eachClaim`; other processes of the group have
 * their own.
 *
 * While its claim is being given away or drained nothing waits: what has to is left to the next owner.
 *
 * ```text
 * in                                             (abcd)|
 * rateLimit({ records: 1, perMs: 3 })            a--b--c--(d|)
 * rateLimit({ records: 1, perMs: 6, burst: 2 })  (ab)--c-----(d|)
 * ```
 *
 * @acks Settles nothing; a value that `weight` fails for is settled by `onError` (of which `retry` is its `then`).
 *
 * @marbles
 * ```ts
 * const source = flow('(abcd)------|');
 * expectFlow(source.pipe(rateLimit({ records: 1, perMs: 3 }))).toBe('a--b--c--d--|');
 * expectAcks(source).toBe('a--b--c--d');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(rateLimit({ records: 100, perMs: 1_000, burst: 20 }), mapAsync((order) => notify(order.value), { concurrency: 10, order: 'none' }));
 * ```
 * @throws UsageError for numbers that are no rate
 */
export function rateLimit<A>(options: RateLimitOptions<A>): Op<A, A> {
  const stage = namedStage<A>('rateLimit', options);
  const { records, perMs, burst = records, weight } = options;
  const rate = { records, perMs, burst };
  for (const [name, value] of Object.entries(rate)) {
    if (!(value > 0 && value < Infinity))
      throw new UsageError(`rateLimit: ${name} is a number above 0, not ${value}`, name);
  }
  if (weight === undefined && burst < 1)
    throw new UsageError(`rateLimit: with a burst of ${burst} not one record could pass`, 'burst');
  if (weight !== undefined && typeof weight !== 'function')
    throw new UsageError('rateLimit: weight is a function from a value to a number', 'weight');
  return (flow) => createFlow((out) => flow.subscribe(new RateLimitStage<A>(out, stage, options)));
}
