import type { Subscriber } from 'rxjs';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { Fifo } from '../flow/fifo.ts';
import type { Flow } from '../flow/flow.ts';
import { announce, type KeepingStage } from '../flow/keeping-stage.ts';
import type { NameOption } from '../flow/policy.ts';
import type { OriginView } from '../flow/origin.ts';
import { createSettled, type Settled } from '../flow/settled.ts';
import type { Settlement, SourceCommitter } from '../flow/settlement.ts';
import { StageSubscriber } from '../flow/stage-subscriber.ts';
import { SettleStage } from './settle.ts';

/** Between two looks at what a commit did not cover: one that failed, or a record before it that is still with somebody else. */
const PAUSE_MS = 50;

/** A value whose delivery is acknowledged; it may be emitted once its records are committed. */
interface Acknowledged<A> {
  readonly value: A;
  readonly origins: readonly OriginView[];
}

interface LaneHost<A> {
  readonly closed: boolean;
  emit(value: A): void;
  onIdle(lane: Lane<A>): void;
}

/** The values of one claim: acknowledged, committed and emitted in their order, batch by batch. */
class Lane<A> {
  readonly settlement: Settlement;
  private readonly host: LaneHost<A>;
  private readonly waiting = new Fifo<Delivery<A>>();
  private acknowledged: Acknowledged<A>[] = [];
  private isRunning = false;
  /** Ends a pause. */
  private wake: (() => void) | undefined;

  constructor(settlement: Settlement, host: LaneHost<A>) {
    this.settlement = settlement;
    this.host = host;
  }

  take(delivery: Delivery<A>): void {
    this.waiting.push(delivery);
    this.wake?.();
    if (this.isRunning) return;
    this.isRunning = true;
    // Later, so that what is handed over in one go is one batch.
    this.settlement.clock.defer(() => void this.run());
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    return this.waiting.some(test);
  }

  giveUp(): void {
    for (let left = this.waiting.shift(); left !== undefined; left = this.waiting.shift())
      handleOf(left).giveUp();
  }

  private async run(): Promise<void> {
    let isCommitted = true;
    while (!this.host.closed && (this.waiting.size > 0 || this.acknowledged.length > 0)) {
      const doomed = new Set(this.acknowledged.filter(isDead));
      // While commits fail nothing more is acknowledged. What they do not cover is held up by a record before it, which may be the next to come.
      if (isCommitted) this.acknowledge();
      isCommitted = await this.commit();
      this.emitCommitted(isCommitted ? doomed : none);
      const waits = this.acknowledged.length > 0 && (!isCommitted || this.waiting.size === 0);
      if (waits) await this.pause(isCommitted);
    }
    this.isRunning = false;
    this.host.onIdle(this);
  }

  private pause(untilNext: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.settlement.clock.setTimeout(() => {
        this.wake = undefined;
        resolve();
      }, PAUSE_MS);
      if (!untilNext) return;
      this.wake = () => {
        this.wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }

  // What comes while it is acknowledged is of the next batch.
  private acknowledge(): void {
    const batch = this.acknowledged;
    for (let left = this.waiting.size; left > 0; left--) {
      const delivery = this.waiting.shift()!;
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- nothing else implements Origin
      batch.push({ value: delivery.value, origins: delivery.origins as readonly OriginView[] });
      delivery.ack();
    }
  }

  /** False when a commit failed: that is told by the source, and here shows as records that are not committed. */
  private async commit(): Promise<boolean> {
    const committers = new Set<SourceCommitter>();
    for (const { origins } of this.acknowledged) {
      for (const { committer, isCommitted } of origins)
        if (committer !== undefined && !isCommitted) committers.add(committer);
    }
    const commits = await Promise.allSettled(Array.from(committers, (committer) => committer.commit()));
    return commits.every(({ status }) => status === 'fulfilled');
  }

  /** Drops `doomed` where a commit that was begun when their claims were dead does not cover them. */
  private emitCommitted(doomed: ReadonlySet<Acknowledged<A>>): void {
    const batch = this.acknowledged;
    const left: Acknowledged<A>[] = [];
    this.acknowledged = left;
    for (const one of batch) {
      if (this.host.closed) return;
      if (!one.origins.some(isOpen)) this.host.emit(one.value);
      // The next owner reads it again, and emits it there. A claim that only starts over is dead too, but is still committed by this process.
      else if (!doomed.has(one)) left.push(one);
    }
  }
}

const none: ReadonlySet<never> = new Set<never>();

/** It may still come again. */
function isOpen({ committer, isCommitted }: OriginView): boolean {
  return committer !== undefined && !isCommitted;
}

function isDead({ origins }: Acknowledged<unknown>): boolean {
  return origins.some((origin) => isOpen(origin) && origin.isDead);
}

class AtMostOnceStage<A> extends StageSubscriber<Delivery<A>, A> implements LaneHost<A>, KeepingStage {
  readonly stageName: string;
  /** For what is committed nowhere, and for the end. */
  private readonly settled: SettleStage<A>;
  private readonly lanes = new Map<Settlement, Lane<A>>();
  private end: (() => void) | undefined;

  constructor(out: Subscriber<A>, stageName: string) {
    super(out);
    this.stageName = stageName;
    this.settled = new SettleStage<A>(out);
    announce(this);
    this.add(() => {
      for (const lane of this.lanes.values()) lane.giveUp();
    });
  }

  override next(delivery: Delivery<A>): void {
    const { behind } = handleOf(delivery);
    const settlement = behind.someSettlement();
    if (this.closed) handleOf(delivery).giveUp();
    else if (settlement === undefined || behind.everySettlement(isNotCommitted)) this.settled.next(delivery);
    else this.laneOf(settlement).take(delivery);
  }

  override error(cause: unknown): void {
    this.endWith(() => this.settled.error(cause));
  }

  override complete(): void {
    this.endWith(() => this.settled.complete());
  }

  emit(value: A): void {
    this.out.next(value);
  }

  onIdle(lane: Lane<A>): void {
    this.lanes.delete(lane.settlement);
    if (this.lanes.size === 0) this.end?.();
  }

  keepsSome(test: (delivery: Delivery<unknown>) => boolean): boolean {
    for (const lane of this.lanes.values()) if (lane.keepsSome(test)) return true;
    return false;
  }

  private laneOf(settlement: Settlement): Lane<A> {
    let lane = this.lanes.get(settlement);
    if (lane === undefined) {
      lane = new Lane<A>(settlement, this);
      this.lanes.set(settlement, lane);
    }
    return lane;
  }

  private endWith(end: () => void): void {
    if (this.lanes.size === 0) end();
    else this.end ??= end;
  }
}

function isNotCommitted({ committer }: Settlement): boolean {
  return committer === undefined;
}

/**
 * An exit to plain RxJS that never repeats a record: commits, then emits. What is handed over while one commit is under way goes out with the next
 * one, so the speed is that of a commit per round trip, not per record; the values of a claim keep their order. A process that dies loses what was
 * committed and not emitted yet, or not finished behind this, up to `credit.records` per claim. Values whose claim is lost before they are
 * committed are not emitted: the next owner emits them. Stages before this one run before the commit, and again after a crash. Values of sources
 * that commit nothing (`fromPartitions`, plain sources) are acknowledged and emitted at once, as by `settle()`.
 *
 * @acks Acknowledges its values, commits, and emits them when the commit is answered. Values whose claim is lost before that are not emitted.
 *
 * @marbles
 * ```ts
 * const source = flow('a-b|');
 * const seen: string[] = [];
 * source.pipe(atMostOnce()).subscribe((value) => seen.push(value));
 * expectAcks(source).toBe('a-b');
 * ```
 *
 * @example
 * ```ts
 * fromGroup({ groupId: 'alerts', topics: ['alarms'], value: text() }).pipe(atMostOnce()).subscribe((alarm) => ring(alarm.value));
 * ```
 */
export function atMostOnce<A>({ name = 'atMostOnce' }: NameOption = {}): (flow: Flow<A>) => Settled<A> {
  return (flow) => createSettled((out) => flow.subscribe(new AtMostOnceStage(out, name)));
}
