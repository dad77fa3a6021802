import type { Subscriber } from 'rxjs';
import { systemClock, type Clock, type Timer } from '../core/clock.ts';
import { UsageError } from '../errors.ts';
import { answersTo } from '../flow/answers-to.ts';
import { ClaimWatch, type ClaimListener } from '../flow/claim-watch.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { createFlow } from '../flow/flow.ts';
import type { Op } from '../flow/op.ts';
import { isEnding, type StageOptions } from '../flow/policy.ts';
import type { Settlement } from '../flow/settlement.ts';
import { namedStage, ValueStage, type NamedStage } from '../flow/value-stage.ts';
import { DueHeap } from './due-heap.ts';

/** Options of {@link delayUntil}. */
export interface DelayUntilOptions<A> extends StageOptions<A> {
  /** How many values are held at once, over all claims; more of them wait in flight, so that the source runs out of credit. Default 100,000. */
  readonly maxHeld?: number | undefined;
}

const DEFAULT_MAX_HELD = 100_000;
/** The longest that one timer waits; clocks of the day are set, and timers have a limit. */
const LOOK_AGAIN_MS = 60_000;

class DelayStage<A> extends ValueStage<A, A> implements ClaimListener {
  private readonly timeOf: (value: A) => number;
  private readonly maxHeld: number;
  private readonly waiting = new DueHeap<Delivery<A>>();
  private readonly watch = new ClaimWatch(this);
  private clock: Clock = systemClock;
  private timer: Timer | undefined;
  private timerDueMs = Infinity;
  private releasing = false;
  private finishing = false;

  constructor(
    out: Subscriber<Delivery<A>>,
    stage: NamedStage<A>,
    timeOf: (value: A) => number,
    maxHeld: number,
  ) {
    super(out, stage);
    this.timeOf = timeOf;
    this.maxHeld = maxHeld;
    this.add(() => this.abandon());
  }

  /** Getters, because a stage is announced before its fields are set. */
  get collects(): boolean {
    return true;
  }

  get holdsAcks(): boolean {
    return true;
  }

  override next(delivery: Delivery<A>): void {
    if (this.busy) this.enqueue(delivery);
    else this.process(delivery);
  }

  override keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.waiting.some(test) || super.keepsSome(test);
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
    let dueMs: number;
    try {
      dueMs = this.timeOf(delivery.value);
      if (!Number.isFinite(dueMs))
        throw new UsageError(`delayUntil: the time is in ms since 1970, not ${String(dueMs)}`, 'time');
    } catch (cause) {
      this.failed(delivery, cause);
      return;
    }
    this.clock = handleOf(delivery).behind.someSettlement()?.clock ?? this.clock;
    if (dueMs > this.clock.wallNow()) {
      // Its next owner waits for it.
      if (isEnding(delivery)) {
        handleOf(delivery).giveUp();
        return;
      }
      this.watch.see(delivery);
      if (this.waiting.size < this.maxHeld) delivery.hold();
    }
    // One that is due goes the same way, behind those that were due before it.
    this.waiting.put(dueMs, delivery);
    this.release();
  }

  protected override end(): void {
    this.finishing = true;
    if (this.waiting.size === 0 && !this.releasing) super.end();
  }

  private release(): void {
    if (this.releasing) return;
    this.releasing = true;
    while (!this.closed && this.waiting.dueMs <= this.clock.wallNow()) this.out.next(this.waiting.take()!);
    this.releasing = false;
    if (this.closed) return;
    this.look();
    if (this.finishing) this.end();
  }

  private look(): void {
    const { dueMs } = this.waiting;
    if (this.timer !== undefined && this.timerDueMs === dueMs) return;
    this.timer?.cancel();
    this.timer = undefined;
    this.timerDueMs = dueMs;
    if (dueMs === Infinity) return;
    const restMs = dueMs - this.clock.wallNow();
    this.timer = this.clock.setTimeout(
      () => {
        this.timer = undefined;
        this.release();
      },
      Math.min(restMs, LOOK_AGAIN_MS),
    );
  }

  private giveUpEnding(): void {
    const ended = this.waiting.takeAll(isEnding);
    for (const delivery of ended) handleOf(delivery).giveUp();
    if (ended.length > 0) this.release();
  }

  private abandon(): void {
    this.watch.close();
    this.timer?.cancel();
    for (const delivery of this.waiting.takeAll(() => true)) handleOf(delivery).giveUp();
  }
}

/**
 * Emits each value when the time has come that it names: at once if that has passed. Values are emitted in the order of their times, and those of the same
 * time in the order in which they came; so a value that waits holds up nobody. The clock is the process's time of day.
 *
 * What waits is held: it takes no credit, pins the commit point, and is bounded by `credit.span` and `maxHeld`. So the longest wait times the rate has to fit
 * into the span; where it does not, the source pauses until the first is due. A claim that is given away or drained leaves what waits to its next owner, which
 * waits for the rest of the time; a flow that completes waits for it. Not for `guarantee: 'exactly-once'`, whose transactions cannot wait.
 *
 * @acks Settles nothing: the same deliveries come out, later. What waits when its claim ends, or the flow is unsubscribed, stays unsettled.
 *
 * @marbles
 * ```ts
 * const times = { a: 7, b: 4, c: 0 };
 * const source = flow('abc------|', times);
 * expectFlow(source.pipe(delayUntil((at) => at))).toBe('--c-b--a-|', times);
 * expectSettlements(source).toBe('xyc-b--a', { x: 'hold a', y: 'hold b' });
 * ```
 *
 * @example
 * ```ts
 * reminders.pipe(delayUntil((reminder) => reminder.value.remindAt));
 * ```
 */
export function delayUntil<A>(time: (value: A) => number, options?: DelayUntilOptions<NoInfer<A>>): Op<A, A> {
  if (typeof time !== 'function')
    throw new UsageError('delayUntil: the first argument is a function from a value to its time', 'time');
  const stage = namedStage('delayUntil', options);
  const { maxHeld = DEFAULT_MAX_HELD } = options ?? {};
  if (!Number.isInteger(maxHeld) || maxHeld < 0)
    throw new UsageError(`delayUntil: maxHeld is a whole number, not ${maxHeld}`, 'maxHeld');
  return (flow) => createFlow((out) => flow.subscribe(new DelayStage(out, stage, time, maxHeld)));
}
