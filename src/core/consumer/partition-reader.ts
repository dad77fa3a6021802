// One partition being read under a credit gate.

import type { KafkaError } from '../../errors.ts';
import { UsageError } from '../../errors.ts';
import { creditEvents } from '../events/channels.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import { DEFAULT_CREDIT, type Credit } from './defaults.ts';
import { tellStall, tellStallOver } from './credit-trace.ts';
import type { Emitter } from './emission-loop.ts';
import { FetchPosition } from './fetch-position.ts';
import { InterceptedListener, type RecordInterceptor } from './intercepted-listener.ts';
import { OffsetTracker } from './offset-tracker.ts';
import type { ReaderOptions } from './options.ts';
import type { ReaderHost } from './reader-host.ts';
import { ReaderFeed } from './reader-feed.ts';
import { nameOf } from './reader-name.ts';
import type { RecordReader } from './record-reader.ts';
import type { RecordSource } from './record-source.ts';
import { SettledWaiters } from './settled-waiters.ts';

/** Records between two looks at the clock. */
const RECORDS_PER_LOOK = 16;
/** When that many take longer than this, the clock is looked at after each one. */
const SLOW_LOOK_MS = 0.5;

/** Asked for by the user. */
const PAUSED = 1;
/** The gate is closed. */
const SHUT = 2;
/** `to` was reached. */
const ENDED = 4;
/** The cursor cannot go on. */
const FAILED = 8;
/** Out of credit. */
const STALLED = 16;
/** A transaction is being ended. */
const SUSPENDED = 32;

/** Who a reader hands its records to. Every call is synchronous and must not throw. */
export interface ReaderListener {
  /** In offset order, only while there is credit; `sequence` identifies the record for `settle()`. */
  onRecord(record: FetchedRecord, sequence: number): void;
  /** Out of credit (or of memory) with more to come: what gathers records should flush. Once per stall. */
  onPressure(): void;
  /** `to` is reached; every record before it was handed over. */
  onEnd(): void;
  /** The cursor cannot go on; every good record before the fault was handed over. Records under way can still be settled. */
  onError(error: KafkaError): void;
}

/** What may be committed. */
export interface CommitPoint {
  /** The next offset to read for whoever starts from this commit. */
  readonly offset: number;
  /** Leader epoch of the record before it, -1 when unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/**
 * One partition being read. Owns its cursor, its buffered batches and the tracker of what it handed over; a {@link Fetcher} feeds it.
 * Records are handed over while fewer than `credit` are in flight, and again when half of it is back.
 */
export class PartitionReader implements Emitter, RecordReader {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's topic id; '' until the reader is added to a fetcher. */
  topicId: string;
  /** Counted up by `reset()`. */
  claimEpoch: number;
  startOffset: number;
  /** Goes with the commit point. */
  commitMetadata: string;
  /** Called when settling moved the commit point, with the number of records it moved over. */
  onSettledAny: ((records: number) => void) | undefined = undefined;
  /** What the fetcher works with. */
  readonly feed: ReaderFeed;
  /** For the {@link EmissionLoop}. */
  queued = false;

  private readonly to: number;
  private readonly credit: Credit;
  private readonly interceptors: readonly RecordInterceptor[];
  private readonly tracker: OffsetTracker;
  private readonly waiters = new SettledWaiters();
  private listener: ReaderListener | undefined;
  /** Why nothing is handed over; 0 while something may be. */
  private stops = 0;
  private closed = false;
  private starved = false;
  /** Of a stall that was told; -1 without one. */
  private stalledAt = -1;

  constructor(options: ReaderOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.topicId = options.topicId ?? '';
    this.startOffset = options.startOffset;
    this.to = options.to ?? Infinity;
    this.claimEpoch = options.claimEpoch ?? 1;
    this.commitMetadata = options.commitMetadata ?? '';
    this.interceptors = options.interceptors ?? [];
    this.credit = checkedCredit({ ...DEFAULT_CREDIT, ...options.credit });
    const leaderEpoch = options.startLeaderEpoch ?? -1;
    this.tracker = new OffsetTracker(options.startOffset, leaderEpoch);
    const fetch = new FetchPosition(options.startOffset, leaderEpoch);
    const takes = (): boolean => !this.isStopped(PAUSED | SHUT | ENDED) && fetch.offset < this.to;
    const waits = (): boolean => this.isStopped(STALLED | PAUSED) || this.listener === undefined;
    const inFlight = (): number => this.tracker.inFlightRecords;
    const onFed = (): void => this.emitLater();
    const onJump = (offset: number): void => this.tracker.jumpTo(offset);
    this.feed = new ReaderFeed(this, { takes, waits, inFlight, onFed, onJump }, fetch);
  }

  /** The delivery position: one past the last record handed over, and over what is never handed over. */
  get position(): number {
    return this.tracker.position;
  }

  /** End of what can be read ('read_committed': the last stable offset), -1 before the first answer. */
  get highWatermark(): number {
    return this.feed.endOfLog;
  }

  /** Offsets between the position and the high watermark; 0 before the first answer. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.tracker.position);
  }

  /** Records neither settled nor held. */
  get inFlightRecords(): number {
    return this.tracker.inFlightRecords;
  }

  get inFlightBytes(): number {
    return this.tracker.inFlightBytes;
  }

  /** Records not settled, held ones included. */
  get unsettledCount(): number {
    return this.tracker.unsettledRecords;
  }

  /** Settles that came for an earlier claim epoch, or after `close()`. */
  get lateSettles(): number {
    return this.tracker.lateSettles;
  }

  /** Bytes fetched and not handed over. */
  get bufferedBytes(): number {
    return this.feed.bufferedBytes;
  }

  /** Bytes of the budget that this reader holds: what is buffered, and batches of which a record is unsettled. */
  get retainedBytes(): number {
    return this.feed.retainedBytes;
  }

  /** Begins to hand over records, in a later task. */
  start(listener: ReaderListener): void {
    if (this.listener !== undefined)
      throw new UsageError(`${nameOf(this)} was started already; reset it first`);
    const { interceptors } = this;
    this.listener = interceptors.length === 0 ? listener : new InterceptedListener(interceptors, listener);
    this.emitLater();
  }

  /** The record is done with; a second call, and one from an earlier claim epoch, changes nothing. */
  settle(sequence: number): void {
    const moved = this.tracker.settle(sequence);
    if (moved > 0) this.onSettledAny?.(moved);
    if (this.isStopped(STALLED)) this.resumeAtHalf();
    if (this.tracker.heldRecords > 0 && this.tracker.inFlightRecords === 0) this.feed.onRoom();
    if (!this.waiters.isEmpty) this.checkWaiters();
  }

  /** Gives the record's in-flight credit back; it still pins the commit point and its batch. */
  hold(sequence: number): void {
    if (!this.tracker.hold(sequence)) return;
    if (this.isStopped(STALLED)) this.resumeAtHalf();
    if (!this.waiters.isEmpty) this.checkWaiters();
    if (this.tracker.inFlightRecords === 0) this.feed.onRoom();
  }

  /** True for settled records and for those of earlier claim epochs. */
  isSettled(sequence: number): boolean {
    return this.tracker.isSettled(sequence);
  }

  /** Stops handing over and asking; what is buffered stays. */
  pause(): void {
    this.stops |= PAUSED;
  }

  resume(): void {
    if (!this.isStopped(PAUSED)) return;
    this.stops &= ~PAUSED;
    this.emitLater();
    this.feed.askForMore();
  }

  /** Hands nothing over until `proceed()`, and goes on fetching; what gathers records is asked to flush. */
  suspend(): void {
    if (this.isStopped(SUSPENDED)) return;
    this.stops |= SUSPENDED;
    if (this.tracker.inFlightRecords > 0) this.listener?.onPressure();
  }

  proceed(): void {
    if (!this.isStopped(SUSPENDED)) return;
    this.stops &= ~SUSPENDED;
    this.emitLater();
    this.feed.askForMore();
  }

  /** Goes on at `offset`. Records under way stay tracked; being older, they come first in the commit point. Also clears an error. */
  seek(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new UsageError(`${offset} is not an offset to seek to`, 'offset');
    this.tracker.jumpTo(offset);
    this.rewindFetching(offset);
  }

  /** No more records are handed over; what was fetched for that goes back to the budget. */
  closeGate(): void {
    if (this.isStopped(SHUT)) return;
    this.stops |= SHUT;
    this.rewindFetching(this.tracker.position);
  }

  /** Goes on where `closeGate()` stopped. */
  openGate(): void {
    if (!this.isStopped(SHUT) || this.closed) return;
    this.stops &= ~SHUT;
    this.emitLater();
    this.feed.askForMore();
  }

  commitPoint(): CommitPoint {
    const { tracker } = this;
    return {
      offset: tracker.commitOffset(),
      leaderEpoch: tracker.commitLeaderEpoch(),
      metadata: this.commitMetadata,
    };
  }

  /** Offsets from `from` on and before `to` of records that were handed over and are not settled. */
  unsettledBetween(from: number, to: number): readonly number[] {
    return this.tracker.unsettledBetween(from, to);
  }

  firstUnsettled(): number | undefined {
    return this.tracker.firstUnsettled();
  }

  /** Milliseconds since the first unsettled record was handed over; 0 when all are settled. */
  oldestUnsettledAgeMs(): number {
    const since = this.tracker.oldestTime();
    const { host } = this.feed;
    return since === undefined || host === undefined ? 0 : host.clock.now() - since;
  }

  /** Resolves when every record handed over is settled, held ones included. Rejects with the signal's reason, and at `close()`. */
  whenSettled(signal?: AbortSignal): Promise<void> {
    return this.wait(true, signal);
  }

  /** Resolves when nothing is in flight; records that are held may stay unsettled. Rejects as `whenSettled()`. */
  whenIdle(signal?: AbortSignal): Promise<void> {
    return this.wait(false, signal);
  }

  /** Rewind: a new claim epoch at `offset`, with nothing under way; settles of earlier records are late. To be started again. */
  reset(offset: number): void {
    this.listener = undefined;
    this.claimEpoch += 1;
    this.startOffset = offset;
    this.stops &= this.closed ? ~PAUSED : ~(PAUSED | SHUT);
    this.tracker.reset(offset);
    this.rewindFetching(offset);
    this.checkWaiters();
  }

  /** Ends reading and forgets what is under way; the commit point stays where it is. */
  close(): void {
    if (this.closed) return;
    this.closeGate();
    this.closed = true;
    this.listener = undefined;
    this.tracker.reset(this.tracker.commitOffset());
    this.waiters.fail(new UsageError(`${nameOf(this)} was closed while records were unsettled`));
    this.feed.close();
  }

  /** Called by the emission loop. */
  emit(untilMs: number): boolean {
    const { feed, listener } = this;
    const { host, source } = feed;
    if (host === undefined || source === undefined || listener === undefined || !this.emits()) return false;
    const more = this.handOver(host, source, listener, untilMs);
    feed.askForMore();
    return more;
  }

  private handOver(
    host: ReaderHost,
    source: RecordSource,
    listener: ReaderListener,
    untilMs: number,
  ): boolean {
    const { clock } = host;
    const { tracker, credit, to } = this;
    const { claimEpoch } = this;
    let nowMs = clock.now();
    let untilLook = RECORDS_PER_LOOK;
    while (this.emits() && this.claimEpoch === claimEpoch && this.listener === listener) {
      const record = source.next();
      if (record === undefined) {
        this.ranOut(source, listener);
        return false;
      }
      if (record.offset >= to) {
        this.end(listener);
        return false;
      }
      if (
        tracker.inFlightRecords >= credit.records ||
        tracker.inFlightBytes >= credit.bytes ||
        tracker.span >= credit.span
      ) {
        source.giveBack(record);
        this.stall(listener);
        return false;
      }
      listener.onRecord(record, tracker.add(record, source.hold!, nowMs));
      if (--untilLook === 0) {
        const beforeMs = nowMs;
        nowMs = clock.now();
        host.loop.onLook(nowMs);
        if (nowMs >= untilMs) return this.emits();
        untilLook = nowMs - beforeMs > SLOW_LOOK_MS ? 1 : RECORDS_PER_LOOK;
      }
    }
    return false;
  }

  private emits(): boolean {
    return this.stops === 0;
  }

  private isStopped(why: number): boolean {
    return (this.stops & why) !== 0;
  }

  private emitLater(): void {
    if (this.listener !== undefined && this.emits()) this.feed.host?.loop.later(this);
  }

  /** Nothing more is buffered. */
  private ranOut(source: RecordSource, listener: ReaderListener): void {
    const { passedOffset, passedLeaderEpoch, failure } = source;
    if (passedOffset > this.tracker.position) this.tracker.moveTo(passedOffset, passedLeaderEpoch);
    if (failure !== undefined) {
      this.stops |= FAILED;
      this.feed.stop();
      listener.onError(failure);
    } else if (this.tracker.position >= this.to) this.end(listener);
    else this.noticeStarvation(listener);
  }

  private end(listener: ReaderListener): void {
    this.stops |= ENDED;
    if (this.tracker.position < this.to) this.tracker.moveTo(this.to, -1);
    this.feed.rewind(this.tracker.position, -1);
    listener.onEnd();
  }

  private stall(listener: ReaderListener): void {
    this.stops |= STALLED;
    if (creditEvents.hasSubscribers) this.stalledAt = tellStall(this);
    listener.onPressure();
  }

  private resumeAtHalf(): void {
    const { tracker, credit } = this;
    if (
      tracker.inFlightRecords > credit.records / 2 ||
      tracker.inFlightBytes > credit.bytes / 2 ||
      tracker.span > credit.span / 2
    )
      return;
    this.stops &= ~STALLED;
    if (this.stalledAt >= 0) this.stalledAt = tellStallOver(this, this.stalledAt);
    this.emitLater();
  }

  /** With no room to ask for more, memory is what is short: sparse batches give way, and then only settling helps. */
  private noticeStarvation(listener: ReaderListener): void {
    const { feed } = this;
    if (feed.isStarved) for (const hold of feed.sparseHolds()) this.tracker.compact(hold);
    const starved = feed.isStarved;
    if (starved && !this.starved) listener.onPressure();
    this.starved = starved;
  }

  private rewindFetching(offset: number): void {
    this.feed.rewind(offset, this.tracker.positionLeaderEpoch);
    this.stops &= ~(ENDED | FAILED | STALLED);
    this.stalledAt = -1;
    this.starved = false;
    this.emitLater();
    this.feed.askForMore();
  }

  private wait(heldToo: boolean, signal: AbortSignal | undefined): Promise<void> {
    const promise = this.waiters.wait(heldToo, signal);
    this.checkWaiters();
    return promise;
  }

  private checkWaiters(): void {
    this.waiters.check(this.tracker.inFlightRecords, this.tracker.heldRecords);
  }
}

function checkedCredit(credit: Credit): Credit {
  for (const name of ['records', 'bytes', 'span'] as const) {
    const value = credit[name];
    if (!(value >= 1))
      throw new UsageError(`credit.${name} must be at least 1, not ${value}`, `credit.${name}`);
  }
  return credit;
}
