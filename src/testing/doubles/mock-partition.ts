import { systemClock, type Clock } from '../../core/clock.ts';
import type { Credit } from '../../core/consumer/defaults.ts';
import { DEFAULT_CREDIT } from '../../core/consumer/defaults.ts';
import type { CommitPoint, ReaderListener } from '../../core/consumer/partition-reader.ts';
import type { RecordReader } from '../../core/consumer/record-reader.ts';
import { SettledWaiters } from '../../core/consumer/settled-waiters.ts';
import type { FetchedRecord } from '../../core/records/fetched-record.ts';
import { UsageError, type KafkaError } from '../../errors.ts';
import { fetchedRecord, type YieldedRecord } from './mock-records.ts';

interface Handed {
  readonly offset: number;
  readonly bytes: number;
  readonly atMs: number;
  readonly leaderEpochBefore: number;
  held: boolean;
}

/**
 * A partition of a {@link MockConsumer}: on one side the reader that the code under test works with, on the other what the test puts into it. Records are
 * handed over in a later task, in order, as long as there is credit; the commit point follows what is settled, as the real one's.
 */
export class MockPartition implements RecordReader {
  readonly topic: string;
  readonly partition: number;
  startOffset = 0;
  position = 0;
  /** Counts the claims of a {@link MockGroup} on it. */
  claimEpoch = 1;
  /** Goes with the commits of a {@link MockGroup}. */
  commitMetadata = '';
  /** Settles that came after the claim they belong to. */
  lateSettles = 0;
  private readonly clock: Clock;
  private credit: Credit = DEFAULT_CREDIT;
  private to = Infinity;
  private end: number | undefined;
  /** What came before the partition was opened, and has no offset yet. */
  private early: (YieldedRecord | KafkaError)[] | undefined = [];
  private readonly yielded: (FetchedRecord | KafkaError)[] = [];
  private readonly passed: FetchedRecord[] = [];
  private readonly unsettled = new Map<number, Handed>();
  private readonly waiters = new SettledWaiters();
  private listener: ReaderListener | undefined;
  private sequence = 0;
  private firstSequence = 0;
  private nextOffset = 0;
  private leaderEpoch = -1;
  private isScheduled = false;
  private isPaused = false;
  private isStalled = false;
  private isEnded = false;
  private isShut = false;
  private isClosed = false;
  private drainsRecords = false;
  private drainsErrors = false;
  private settles = false;

  constructor(topic: string, partition: number, clock: Clock = systemClock) {
    this.topic = topic;
    this.partition = partition;
    this.clock = clock;
  }

  /** Hands a record over as soon as the code under test takes it. Offsets count on from the one where the partition was opened, else from 0. */
  yieldRecord(record: YieldedRecord): this {
    if (this.early !== undefined) {
      this.early.push(record);
      return this;
    }
    const offset = record.offset ?? this.nextOffset;
    if (!Number.isSafeInteger(offset) || offset < this.nextOffset)
      throw new UsageError(
        `${this.place}: a record at offset ${offset} cannot follow; the next is at ${this.nextOffset} or later`,
        'offset',
      );
    this.nextOffset = offset + 1;
    this.yielded.push(fetchedRecord(this.topic, this.partition, offset, record));
    this.emitLater();
    return this;
  }

  /** Tells the code under test, behind the records yielded so far, that the partition cannot be read on. Nothing comes after it before a `seek`. */
  yieldError(error: KafkaError): this {
    (this.early ?? this.yielded).push(error);
    this.emitLater();
    return this;
  }

  /** When everything is closed, every yielded record must have been handed over. */
  expectRecordsDrainedOnClose(): this {
    this.drainsRecords = true;
    return this;
  }

  /** When everything is closed, every yielded error must have been told. */
  expectErrorsDrainedOnClose(): this {
    this.drainsErrors = true;
    return this;
  }

  /** When everything is closed, every record handed over must be settled. */
  expectSettledOnClose(): this {
    this.settles = true;
    return this;
  }

  /** One past the last record yielded, unless set; -1 before the partition is opened. */
  get highWatermark(): number {
    return this.end ?? (this.early === undefined ? this.nextOffset : -1);
  }

  set highWatermark(offset: number) {
    this.end = offset;
  }

  get lag(): number {
    return Math.max(0, this.highWatermark - this.position);
  }

  get inFlightRecords(): number {
    return this.unsettledCount - this.heldRecords;
  }

  get inFlightBytes(): number {
    let bytes = 0;
    for (const handed of this.unsettled.values()) if (!handed.held) bytes += handed.bytes;
    return bytes;
  }

  get unsettledCount(): number {
    return this.unsettled.size;
  }

  oldestUnsettledAgeMs(): number {
    const [first] = this.unsettled.values();
    return first === undefined ? 0 : this.clock.now() - first.atMs;
  }

  start(listener: ReaderListener): void {
    if (this.listener !== undefined) throw new UsageError(`The reader of ${this.place} was started already`);
    this.listener = listener;
    this.emitLater();
  }

  settle(sequence: number): void {
    if (this.isClosed || sequence < this.firstSequence) {
      this.lateSettles += 1;
      return;
    }
    if (this.unsettled.delete(sequence)) this.moved();
  }

  hold(sequence: number): void {
    const handed = this.unsettled.get(sequence);
    if (handed === undefined || handed.held) return;
    handed.held = true;
    this.moved();
  }

  isSettled(sequence: number): boolean {
    return sequence < this.sequence && !this.unsettled.has(sequence);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.emitLater();
  }

  /** Goes on at `offset`, be it behind: what was handed over before comes again. */
  seek(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new UsageError(`${offset} is not an offset to seek to`, 'offset');
    const known = [...this.passed.splice(0), ...this.yielded.splice(0)].filter(isRecord);
    for (const record of known) (record.offset < offset ? this.passed : this.yielded).push(record);
    this.position = offset;
    this.nextOffset = Math.max(this.nextOffset, offset);
    this.leaderEpoch = -1;
    this.isEnded = false;
    this.emitLater();
  }

  commitPoint(): CommitPoint {
    const [first] = this.unsettled.values();
    return {
      offset: first?.offset ?? this.position,
      leaderEpoch: first?.leaderEpochBefore ?? this.leaderEpoch,
      metadata: this.commitMetadata,
    };
  }

  firstUnsettled(): number | undefined {
    const [first] = this.unsettled.values();
    return first?.offset;
  }

  whenSettled(signal?: AbortSignal): Promise<void> {
    return this.wait(true, signal);
  }

  whenIdle(signal?: AbortSignal): Promise<void> {
    return this.wait(false, signal);
  }

  /** Hands nothing more over; for a claim that ends. */
  closeGate(): void {
    this.isShut = true;
  }

  /** The next claim begins at `offset`, with nothing under way. To be started again. */
  reset(offset: number): void {
    this.listener = undefined;
    this.claimEpoch += 1;
    this.startOffset = offset;
    this.firstSequence = this.sequence;
    this.unsettled.clear();
    this.isPaused = false;
    this.isStalled = false;
    this.isShut = false;
    this.isClosed = false;
    this.seek(offset);
    this.waiters.check(0, 0);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.waiters.fail(new UsageError(`The reader of ${this.place} was closed while records were unsettled`));
  }

  /** The code under test opens it; `to` is where it stops, undefined for never, 'latest' for what was yielded so far. */
  open(startOffset: number, to: number | 'latest' | undefined, credit: Partial<Credit> = {}): void {
    const early = this.early ?? [];
    this.early = undefined;
    this.startOffset = startOffset;
    this.position = startOffset;
    this.nextOffset = startOffset;
    this.credit = { ...DEFAULT_CREDIT, ...credit };
    for (const one of early) {
      if (one instanceof Error) this.yieldError(one);
      else this.yieldRecord(one);
    }
    this.to = to === 'latest' ? this.nextOffset : (to ?? Infinity);
  }

  /** What is not as the test expects, at the end. */
  complaints(): string[] {
    const records = this.yielded.filter(isRecord).length;
    const errors = this.yielded.length - records;
    const complaints: string[] = [];
    if (this.drainsRecords && records > 0)
      complaints.push(`${this.place}: ${records} of the records it yielded were not handed over`);
    if (this.drainsErrors && errors > 0)
      complaints.push(`${this.place}: ${errors} of the errors it yielded were not told`);
    if (this.settles && this.unsettled.size > 0)
      complaints.push(
        `${this.place}: ${this.unsettled.size} records are not settled, the first at offset ${this.firstUnsettled()}`,
      );
    return complaints;
  }

  private get place(): string {
    return `${this.topic}-${this.partition}`;
  }

  private get heldRecords(): number {
    let held = 0;
    for (const handed of this.unsettled.values()) if (handed.held) held += 1;
    return held;
  }

  private get emits(): boolean {
    return !this.isPaused && !this.isShut && !this.isClosed && !this.isEnded && !this.isStalled;
  }

  private emitLater(): void {
    if (this.isScheduled || this.listener === undefined) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.emit();
    });
  }

  private emit(): void {
    const { listener } = this;
    while (listener !== undefined && listener === this.listener && this.emits) {
      if (this.position >= this.to) {
        this.isEnded = true;
        listener.onEnd();
        return;
      }
      const next = this.yielded[0];
      if (next === undefined) return;
      if (!isRecord(next)) {
        this.yielded.shift();
        this.isEnded = true;
        listener.onError(next);
      } else if (next.offset >= this.to) this.position = this.to;
      else if (this.inFlightRecords >= this.credit.records) {
        this.isStalled = true;
        listener.onPressure();
      } else this.handOver(listener, next);
    }
  }

  private handOver(listener: ReaderListener, record: FetchedRecord): void {
    this.yielded.shift();
    this.passed.push(record);
    const sequence = this.sequence++;
    this.unsettled.set(sequence, {
      offset: record.offset,
      bytes: record.bytes,
      atMs: this.clock.now(),
      leaderEpochBefore: this.leaderEpoch,
      held: false,
    });
    this.leaderEpoch = record.leaderEpoch;
    this.position = record.offset + 1;
    listener.onRecord(record, sequence);
  }

  private moved(): void {
    if (this.isStalled && this.inFlightRecords <= this.credit.records / 2) {
      this.isStalled = false;
      this.emitLater();
    }
    this.waiters.check(this.inFlightRecords, this.heldRecords);
  }

  private wait(heldToo: boolean, signal: AbortSignal | undefined): Promise<void> {
    const promise = this.waiters.wait(heldToo, signal);
    this.waiters.check(this.inFlightRecords, this.heldRecords);
    return promise;
  }
}

function isRecord(one: FetchedRecord | KafkaError): one is FetchedRecord {
  return !(one instanceof Error);
}
