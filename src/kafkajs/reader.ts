// One partition that kafkajs reads, under a credit gate: what was fetched waits here until the claim has room for it.

import type { KafkaMessage } from 'kafkajs';
import type { Clock } from '../core/clock.ts';
import { BatchHold } from '../core/consumer/batch-hold.ts';
import { ByteBudget, type BudgetShare } from '../core/consumer/byte-budget.ts';
import { DEFAULT_CREDIT, DEFAULT_PREFETCH_BYTES, type Credit } from '../core/consumer/defaults.ts';
import type { EmissionLoop, Emitter } from '../core/consumer/emission-loop.ts';
import { OffsetTracker } from '../core/consumer/offset-tracker.ts';
import type { CommitPoint, ReaderListener } from '../core/consumer/partition-reader.ts';
import { SettledWaiters } from '../core/consumer/settled-waiters.ts';
import type { ClaimedReader } from '../core/group/partition-claim.ts';
import { UsageError, type KafkaError } from '../errors.ts';
import { Fifo } from '../flow/fifo.ts';
import { asFetched, KafkajsRecord } from './record.ts';

/** Where a reader starts and under which limits. */
export interface KafkajsReaderOptions {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  readonly claimEpoch: number;
  readonly commitMetadata: string;
  readonly credit?: Partial<Credit> | undefined;
  readonly prefetchBytes?: number | undefined;
}

/** What a reader asks of the group around it. */
export interface KafkajsReaderHost {
  readonly clock: Clock;
  readonly loop: EmissionLoop;
  /** kafkajs is to go on at `reader.next`. */
  onSeek(reader: KafkajsReader): void;
  /** There is room again, or nobody needs it any more. */
  onRoom(reader: KafkajsReader): void;
}

const RECORDS_PER_LOOK = 16;
/** Asked for by the user. */
const PAUSED = 1;
/** The gate is closed. */
const SHUT = 2;
/** It cannot be read on. */
const FAILED = 4;
/** Out of credit. */
const STALLED = 8;

/** Counts nothing: what is fetched is kafkajs's, and bounded by what waits here. */
const UNCOUNTED: BudgetShare = new ByteBudget(0).join(() => undefined);

/** Holds at most `prefetchBytes` and one fetch. */
export class KafkajsReader implements ClaimedReader, Emitter {
  readonly topic: string;
  readonly partition: number;
  claimEpoch: number;
  startOffset: number;
  commitMetadata: string;
  /** -1 before the first fetch. */
  highWatermark = -1;
  /** Where kafkajs is to fetch next. */
  next: number;
  /** Called when settling moved the commit point, with the number of records it moved over. */
  onSettledAny: ((records: number) => void) | undefined = undefined;
  /** kafkajs does not fetch it for the moment. */
  isParked = false;
  /** For the loop. */
  queued = false;
  private readonly host: KafkajsReaderHost;
  private readonly credit: Credit;
  private readonly prefetchBytes: number;
  private readonly tracker: OffsetTracker;
  private readonly waiters = new SettledWaiters();
  private batch = new BatchHold(UNCOUNTED, 0);
  private buffer = new Fifo<KafkajsRecord>();
  private bufferedBytes = 0;
  private listener: ReaderListener | undefined;
  private failure: KafkaError | undefined;
  private stops = 0;
  private closed = false;
  private roomWaiters: (() => void)[] = [];
  private soughtAgain = -1;

  constructor(options: KafkajsReaderOptions, host: KafkajsReaderHost) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.startOffset = options.startOffset;
    this.next = options.startOffset;
    this.claimEpoch = options.claimEpoch;
    this.commitMetadata = options.commitMetadata;
    this.credit = { ...DEFAULT_CREDIT, ...options.credit };
    this.prefetchBytes = options.prefetchBytes ?? DEFAULT_PREFETCH_BYTES;
    this.tracker = new OffsetTracker(options.startOffset, -1);
    this.host = host;
  }

  get position(): number {
    return this.tracker.position;
  }

  get lag(): number {
    return Math.max(0, this.highWatermark - this.tracker.position);
  }

  get inFlightRecords(): number {
    return this.tracker.inFlightRecords;
  }

  get inFlightBytes(): number {
    return this.tracker.inFlightBytes;
  }

  get unsettledCount(): number {
    return this.tracker.unsettledRecords;
  }

  get lateSettles(): number {
    return this.tracker.lateSettles;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** True when another fetch may be taken in. */
  get hasRoom(): boolean {
    return this.closed || this.isStopped(SHUT) || this.bufferedBytes < this.prefetchBytes;
  }

  /** Resolves when there is room. */
  whenRoom(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  start(listener: ReaderListener): void {
    if (this.listener !== undefined)
      throw new UsageError(`The reader of ${this.topic}-${this.partition} was started already`);
    this.listener = listener;
    this.emitLater();
  }

  /** What kafkajs fetched at `next`; it goes on at `after`. */
  push(messages: readonly KafkaMessage[], after: number): void {
    for (const message of messages) {
      const record = new KafkajsRecord(this.topic, this.partition, message);
      this.buffer.push(record);
      this.bufferedBytes += record.bytes;
    }
    this.pass(after);
  }

  /** kafkajs passed over what nobody is to see: control records, and records of aborted transactions. */
  pass(after: number): void {
    this.next = Math.max(this.next, after);
    this.emitLater();
  }

  /** kafkajs is to fetch at `next` once more. */
  seekAgain(): void {
    this.soughtAgain = this.next;
    this.host.onSeek(this);
  }

  /** True when kafkajs was sent back already, and came to `offset` all the same: there is nothing for anybody in between. */
  passes(offset: number): boolean {
    if (this.soughtAgain !== this.next || offset < this.next) return false;
    this.pass(offset);
    return true;
  }

  /** What follows is at `offset`, behind what waits here: the log does not hold what is between. */
  jump(offset: number): void {
    this.drop();
    this.tracker.jumpTo(offset);
    this.refetch(offset);
  }

  /** It cannot be read on behind what waits here. */
  fail(error: KafkaError): void {
    this.failure ??= error;
    this.emitLater();
  }

  settle(sequence: number): void {
    const moved = this.tracker.settle(sequence);
    if (moved > 0) this.onSettledAny?.(moved);
    this.changed();
  }

  hold(sequence: number): void {
    if (this.tracker.hold(sequence)) this.changed();
  }

  pause(): void {
    this.stops |= PAUSED;
  }

  resume(): void {
    this.stops &= ~PAUSED;
    this.emitLater();
  }

  seek(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new UsageError(`${offset} is not an offset to seek to`, 'offset');
    this.tracker.jumpTo(offset);
    this.refetch(offset);
  }

  closeGate(): void {
    if (this.isStopped(SHUT)) return;
    this.stops |= SHUT;
    this.drop();
    this.next = this.tracker.position;
  }

  reset(offset: number): void {
    this.listener = undefined;
    this.claimEpoch += 1;
    this.startOffset = offset;
    this.stops &= this.closed ? ~PAUSED : ~(PAUSED | SHUT);
    this.tracker.reset(offset);
    this.batch = new BatchHold(UNCOUNTED, 0);
    this.refetch(offset);
    this.checkWaiters();
  }

  close(): void {
    if (this.closed) return;
    this.closeGate();
    this.closed = true;
    this.listener = undefined;
    this.tracker.reset(this.tracker.commitOffset());
    this.waiters.fail(
      new UsageError(`The reader of ${this.topic}-${this.partition} was closed while records were unsettled`),
    );
    this.tellRoom();
  }

  commitPoint(): CommitPoint {
    return {
      offset: this.tracker.commitOffset(),
      leaderEpoch: this.tracker.commitLeaderEpoch(),
      metadata: this.commitMetadata,
    };
  }

  firstUnsettled(): number | undefined {
    return this.tracker.firstUnsettled();
  }

  oldestUnsettledAgeMs(): number {
    const since = this.tracker.oldestTime();
    return since === undefined ? 0 : this.host.clock.now() - since;
  }

  whenIdle(signal?: AbortSignal): Promise<void> {
    const idle = this.waiters.wait(false, signal);
    this.checkWaiters();
    return idle;
  }

  emit(untilMs: number): boolean {
    const { listener, claimEpoch, tracker, credit } = this;
    const { clock } = this.host;
    if (listener === undefined) return false;
    let nowMs = clock.now();
    for (let handed = 1; this.stops === 0; handed++) {
      if (this.claimEpoch !== claimEpoch || this.listener !== listener) return false;
      const record = this.buffer.peek();
      if (record === undefined) {
        this.ranOut(listener);
        return false;
      }
      if (
        tracker.inFlightRecords >= credit.records ||
        tracker.inFlightBytes >= credit.bytes ||
        tracker.span >= credit.span
      ) {
        this.stops |= STALLED;
        listener.onPressure();
        return false;
      }
      this.buffer.shift();
      this.bufferedBytes -= record.bytes;
      const sequence = tracker.add(record, this.batch, nowMs);
      listener.onRecord(asFetched(record), sequence);
      if (this.roomWaiters.length > 0 || this.isParked) this.tellRoomAtHalf();
      if (handed % RECORDS_PER_LOOK !== 0) continue;
      nowMs = clock.now();
      if (nowMs >= untilMs) return this.stops === 0;
    }
    return false;
  }

  private ranOut(listener: ReaderListener): void {
    const { tracker } = this;
    if (this.next > tracker.position) tracker.moveTo(this.next, tracker.positionLeaderEpoch);
    if (this.failure === undefined) return;
    this.stops |= FAILED;
    listener.onError(this.failure);
  }

  private isStopped(why: number): boolean {
    return (this.stops & why) !== 0;
  }

  private emitLater(): void {
    if (this.listener !== undefined && this.stops === 0) this.host.loop.later(this);
  }

  private changed(): void {
    const { tracker, credit } = this;
    if (
      this.isStopped(STALLED) &&
      tracker.inFlightRecords <= credit.records / 2 &&
      tracker.inFlightBytes <= credit.bytes / 2 &&
      tracker.span <= credit.span / 2
    ) {
      this.stops &= ~STALLED;
      this.emitLater();
    }
    if (!this.waiters.isEmpty) this.checkWaiters();
  }

  private checkWaiters(): void {
    this.waiters.check(this.tracker.inFlightRecords, this.tracker.heldRecords);
  }

  private refetch(offset: number): void {
    this.drop();
    this.next = offset;
    this.failure = undefined;
    this.stops &= ~(FAILED | STALLED);
    if (!this.closed) this.host.onSeek(this);
    this.emitLater();
  }

  private drop(): void {
    this.buffer = new Fifo<KafkajsRecord>();
    this.bufferedBytes = 0;
    this.tellRoom();
  }

  private tellRoomAtHalf(): void {
    if (this.bufferedBytes <= this.prefetchBytes / 2) this.tellRoom();
  }

  private tellRoom(): void {
    for (const resolve of this.roomWaiters.splice(0)) resolve();
    if (this.isParked) this.host.onRoom(this);
  }
}
