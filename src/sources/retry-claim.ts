// A claim of a source that reads retry topics: records that are not due yet stay in the log, and where key order is kept, records of a key go one at a time.
import type { Clock, Timer } from '../core/clock.ts';
import type { ClaimListener } from '../core/group/claim.ts';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import { failureOf } from '../flow/failure-headers.ts';
import type { SourceClaim } from './claim-source.ts';
import { orderPlace, type KeyedClaim, type KeyState, type Quarantine } from './quarantine.ts';
import type { RetryPlan } from './retry-plan.ts';

/** Of the delay: what is due within so much is handed over together, later than it could be, so that a busy partition is not fetched for each record. */
const LATER_SHARE = 0.05;
const LATER_AT_MOST_MS = 1_000;

/** So long may the levels of a partition belong to nobody here before that is told. */
const TELL_AFTER_MS = 30_000;

const BY_USER = 1;
const UNTIL_DUE = 2;
const FOR_ORDER = 4;
const FULL = 8;

/** What its source gives it. */
export interface RetryAround {
  readonly clock: Clock;
  readonly plan: RetryPlan;
  readonly quarantine: Quarantine | undefined;
  fail(cause: unknown): void;
}

/** With the flow. */
interface Flight {
  readonly offset: number;
  readonly key: KeyState;
  /** The next one of its key may go: it is held. */
  isPassed: boolean;
}

export class RetryClaim implements SourceClaim, KeyedClaim {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly startOffset: number;
  readonly startMetadata: string;
  readonly describeCommits: SourceClaim['describeCommits'];
  readonly revoking: AbortSignal;
  readonly lost: AbortSignal;
  readonly level: number;
  isOver = false;
  private readonly claim: SourceClaim;
  private readonly around: RetryAround;
  private readonly delayMs: number;
  private readonly flights = new Map<number, Flight>();
  /** Sequences of those that wait for one of their key. */
  private readonly waiting = new Set<number>();
  private listener: ClaimListener | undefined;
  private timer: Timer | undefined;
  private tellTimer: Timer | undefined;
  /** The record that is not due yet. */
  private postponed: { readonly offset: number; readonly dueAt: number } | undefined;
  /** Why the claim is paused; 0 while it is not. */
  private stops = 0;

  constructor(claim: SourceClaim, around: RetryAround) {
    this.claim = claim;
    this.around = around;
    this.topic = claim.topic;
    this.partition = claim.partition;
    this.claimEpoch = claim.claimEpoch;
    this.startOffset = claim.startOffset;
    this.startMetadata = claim.startMetadata;
    this.describeCommits = claim.describeCommits?.bind(claim);
    this.revoking = claim.revoking;
    this.lost = claim.lost;
    this.level = around.plan.levels.findIndex(({ topic }) => topic === claim.topic) + 1;
    // A record may have followed another one to a level beyond its own.
    const { levels, order } = around.plan;
    const longest = Math.max(...levels.map(({ delayMs }) => delayMs));
    this.delayMs = order === 'key' ? longest : (levels[this.level - 1]?.delayMs ?? 0);
  }

  unsettledBetween(from: number, to: number): readonly number[] {
    return this.claim.unsettledBetween?.(from, to) ?? [];
  }

  get generation(): number {
    return this.claim.generation;
  }

  get position(): number {
    return this.claim.position;
  }

  get committedOffset(): number | undefined {
    return this.claim.committedOffset;
  }

  get highWatermark(): number {
    return this.claim.highWatermark;
  }

  get lag(): number {
    return this.claim.lag;
  }

  get dead(): boolean {
    return this.claim.dead;
  }

  get inFlightRecords(): number {
    return this.claim.inFlightRecords;
  }

  get commitMetadata(): string {
    return this.claim.commitMetadata;
  }

  set commitMetadata(metadata: string) {
    this.claim.commitMetadata = metadata;
  }

  start(listener: ClaimListener): void {
    this.listener = listener;
    this.around.quarantine?.begin(this);
    if (this.level === 0 && this.around.quarantine !== undefined) this.tellLater();
    this.claim.start({
      onRecord: (record, sequence) => this.onRecord(record, sequence),
      onPressure: () => listener.onPressure(),
      onRevoking: () => {
        this.end(false);
        listener.onRevoking();
      },
      onLost: (error) => {
        this.end(true);
        listener.onLost(error);
      },
      onEnd: () => listener.onEnd(),
      onError: (error) => listener.onError(error),
      onRewinding: () => listener.onRewinding?.() ?? Promise.resolve(),
    });
  }

  settle(sequence: number): void {
    const flight = this.flights.get(sequence);
    this.claim.settle(sequence);
    if (flight === undefined) return;
    this.flights.delete(sequence);
    const { quarantine } = this.around;
    quarantine?.settled(this, flight.offset);
    if (!flight.isPassed) quarantine?.done(this, flight.key);
  }

  // What is held on purpose lets the next one of its key go; what is given up does not, and is told from it by what follows: the claim ends.
  hold(sequence: number): void {
    this.claim.hold(sequence);
    const flight = this.flights.get(sequence);
    if (flight === undefined || flight.isPassed) return;
    queueMicrotask(() => {
      if (this.isOver || this.claim.dead || this.flights.get(sequence) !== flight) return;
      flight.isPassed = true;
      this.around.quarantine?.done(this, flight.key);
    });
  }

  pause(): void {
    this.stop(BY_USER);
  }

  resume(): void {
    this.goOn(BY_USER);
  }

  seek(offset: number): void {
    this.claim.seek(offset);
    this.timer?.cancel();
    this.goOn(UNTIL_DUE);
  }

  leave(): void {
    this.end(true);
    if (this.claim.leave === undefined) this.claim.pause();
    else this.claim.leave();
  }

  block(why: 'order' | 'full', holds: boolean): void {
    const stop = why === 'order' ? FOR_ORDER : FULL;
    if (holds) this.stop(stop);
    else this.goOn(stop);
  }

  handOver(record: FetchedRecord, sequence: number, key: KeyState): void {
    this.waiting.delete(sequence);
    this.flights.set(sequence, { offset: record.offset, key, isPassed: false });
    this.listener?.onRecord(record, sequence);
  }

  skip(record: FetchedRecord, sequence: number): void {
    this.waiting.delete(sequence);
    this.claim.settle(sequence);
    this.around.quarantine?.settled(this, record.offset);
  }

  follow(record: FetchedRecord, sequence: number, notBefore: number): void {
    const { quarantine, plan, clock } = this.around;
    this.waiting.delete(sequence);
    const dueAt = Math.max(clock.wallNow(), notBefore);
    const level = Math.min(this.level + 1, plan.levels.length);
    const answered = quarantine!.sent(record, [this.level, level], {
      ...orderPlace(record, this.level)!,
      dueAt,
    });
    plan.follow(record, dueAt, {
      onAnswered: (offset, error) => {
        answered(offset);
        if (offset !== undefined) {
          this.claim.settle(sequence);
          quarantine!.settled(this, record.offset);
          return;
        }
        this.claim.hold(sequence);
        if (error !== undefined && !this.claim.dead) this.around.fail(error);
      },
      isWithdrawn: () => this.claim.dead,
    });
  }

  private onRecord(record: FetchedRecord, sequence: number): void {
    if (this.level > 0) {
      const waitMs = this.waitMs(record);
      if (waitMs > 0) {
        this.postpone(record, sequence, waitMs);
        return;
      }
    }
    const { quarantine } = this.around;
    const place = quarantine === undefined ? undefined : orderPlace(record, this.level);
    if (place === undefined) {
      this.listener?.onRecord(record, sequence);
      return;
    }
    this.waiting.add(sequence);
    quarantine!.take(this, record, sequence, place);
  }

  // Whoever wrote it may have another clock, or be somebody else: no record waits for longer than its level's delay.
  private waitMs(record: FetchedRecord): number {
    const now = this.around.clock.wallNow();
    if (record.offset === this.postponed?.offset) return this.postponed.dueAt - now;
    const dueAt = failureOf(record)?.dueAt;
    return dueAt === undefined ? 0 : Math.min(dueAt - now, this.delayMs);
  }

  // As if it had not been read: no record, and nothing that was fetched behind it, is kept while the time passes.
  private postpone(record: FetchedRecord, sequence: number, waitMs: number): void {
    this.postponed = { offset: record.offset, dueAt: this.around.clock.wallNow() + waitMs };
    this.stop(UNTIL_DUE);
    this.claim.seek(record.offset);
    this.claim.settle(sequence);
    const atLeastMs = Math.min(this.delayMs * LATER_SHARE, LATER_AT_MOST_MS);
    this.timer = this.around.clock.setTimeout(() => this.goOn(UNTIL_DUE), Math.max(waitMs, atLeastMs));
    this.timer.unref?.();
  }

  private tellLater(): void {
    this.tellTimer = this.around.clock.setTimeout(() => {
      if ((this.stops & FOR_ORDER) === 0) return;
      const levels = this.around.plan.levels.map(({ topic }) => `${topic}-${this.partition}`).join(', ');
      process.emitWarning(
        `${this.topic}-${this.partition} waits for ${levels}, which this member has not claimed or cannot read: with order 'key' all members of the group read the same retry topics`,
        'SluiceWarning',
      );
    }, TELL_AFTER_MS);
    this.tellTimer.unref?.();
  }

  private stop(why: number): void {
    if (this.stops === 0) this.claim.pause();
    this.stops |= why;
  }

  private goOn(why: number): void {
    if ((this.stops & why) === 0) return;
    this.stops &= ~why;
    if (this.stops === 0 && !this.isOver) this.claim.resume();
  }

  /** Those that wait stay unsettled, for the next owner; those with the flow too if the claim is lost. */
  private end(isLost: boolean): void {
    const { quarantine } = this.around;
    const wasOver = this.isOver;
    this.isOver = true;
    this.timer?.cancel();
    this.tellTimer?.cancel();
    if (!wasOver) {
      for (const sequence of this.waiting) this.claim.hold(sequence);
      this.waiting.clear();
      quarantine?.ended(this);
    }
    if (!isLost) return;
    const flights = [...this.flights.values()];
    this.flights.clear();
    for (const { key, isPassed } of flights) if (!isPassed) quarantine?.done(this, key);
  }
}
