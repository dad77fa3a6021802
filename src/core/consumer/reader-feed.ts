// The side of a reader that its fetcher works with: what to ask for, and where the answers go.

import { UsageError, type KafkaError } from '../../errors.ts';
import type { BatchHold } from './batch-hold.ts';
import type { BudgetShare } from './byte-budget.ts';
import { MIN_FETCH_BYTES } from './defaults.ts';
import type { FetchedData } from './fetched-data.ts';
import type { FetchPosition } from './fetch-position.ts';
import { nameOf } from './reader-name.ts';
import type { PartitionReader } from './partition-reader.ts';
import type { ReaderHost } from './reader-host.ts';
import { RecordSource } from './record-source.ts';

/** What a feed asks and tells the reader it belongs to. */
export interface FeedOwner {
  /** False while the reader takes nothing: paused, gate closed, at its end. */
  takes(): boolean;
  /** True when what comes now will wait for a while before it is handed over. */
  waits(): boolean;
  inFlight(): number;
  /** There is something new to hand over or to report. */
  onFed(): void;
  /** What follows does not continue at the position. */
  onJump(offset: number): void;
}

/** Buffers what is fetched for one reader and knows how much more there is room for. */
export class ReaderFeed {
  /** The cursor for asking brokers. */
  readonly fetch: FetchPosition;
  /** End of what can be read, -1 before the first answer. */
  endOfLog = -1;
  /** These three from `attach()` on. */
  host: ReaderHost | undefined;
  source: RecordSource | undefined;
  private share: BudgetShare | undefined;
  /** No more is to be asked for: what is buffered ends in an error. */
  private failing = false;
  private closed = false;
  private readonly reader: PartitionReader;
  private readonly owner: FeedOwner;

  constructor(reader: PartitionReader, owner: FeedOwner, fetch: FetchPosition) {
    this.reader = reader;
    this.owner = owner;
    this.fetch = fetch;
  }

  /** Called by the fetcher, once, before anything else. */
  attach(host: ReaderHost): void {
    if (this.host !== undefined || this.closed)
      throw new UsageError(`${nameOf(this.reader)} has a fetcher already, or is closed`);
    const { topic, partition, position } = this.reader;
    const { budget, maxBatchBytes } = host;
    const share = budget.join(() => this.onRoom());
    const admits = (bytes: number): boolean => this.owner.inFlight() === 0 || share.admits(bytes);
    const onReady = (): void => this.owner.onFed();
    const onJump = (offset: number): void => this.owner.onJump(offset);
    this.host = host;
    this.share = share;
    this.source = new RecordSource(
      {
        topic,
        partition,
        budget,
        share,
        maxBatchBytes,
        unpacksAside: host.clock.isReal === true,
        admits,
        onReady,
        onJump,
      },
      position,
    );
    this.owner.onFed();
  }

  /** Bytes fetched and not handed over. */
  get bufferedBytes(): number {
    return this.source?.bufferedBytes ?? 0;
  }

  /** Bytes of the budget taken: what is buffered, and batches of which a record is unsettled. */
  get retainedBytes(): number {
    return this.share?.usedBytes ?? 0;
  }

  /** True when what comes now will wait for a while before it is handed over. */
  get isWaiting(): boolean {
    return this.owner.waits();
  }

  /** Bytes to ask for now, 0 for not now. */
  bytesWanted(): number {
    const { share, source, host } = this;
    if (share === undefined || source === undefined || host === undefined || !this.reads) return 0;
    const { bufferedBytes } = source;
    const { budget, partitionFetchBytes, prefetchBytes, totalPrefetchBytes } = host;
    const plenty = budget.bufferedBytes + budget.reservedBytes >= totalPrefetchBytes;
    if (plenty && bufferedBytes > 0) return 0;
    const room = Math.min(prefetchBytes - bufferedBytes, share.room(share.usedBytes - bufferedBytes));
    const worthwhile = Math.min(partitionFetchBytes, Math.min(prefetchBytes, share.guaranteedBytes) / 2);
    if (room >= worthwhile) {
      const bytes = plenty ? Math.min(room, Math.floor(totalPrefetchBytes / budget.readers)) : room;
      return Math.min(Math.max(bytes, MIN_FETCH_BYTES), partitionFetchBytes);
    }
    return source.isEmpty && this.owner.inFlight() === 0 ? MIN_FETCH_BYTES : 0;
  }

  /**
   * Bytes to ask for in a poll, in place of {@link bytesWanted}: a figure that seldom changes, as a session names each partition of which anything
   * did. What others leave unused is not in it, for at the end of a log it is seldom needed.
   */
  bytesPolled(): number {
    const { partitionFetchBytes } = this.host!;
    const share = this.share!;
    const own = share.guaranteedBytes - share.usedBytes;
    if (own >= partitionFetchBytes) return partitionFetchBytes;
    return Math.min(
      partitionFetchBytes,
      Math.max(MIN_FETCH_BYTES, 2 ** Math.floor(Math.log2(Math.max(1, own)))),
    );
  }

  /** True when there is room for more. */
  wantsMore(): boolean {
    return this.bytesWanted() > 0;
  }

  /** Sees to it that the reader is asked for if there is room. */
  askForMore(): void {
    if (!this.fetch.asked && this.wantsMore()) this.host!.wake(this.reader);
  }

  /** Memory came back, or nothing is in flight any more: there may be room for more. */
  onRoom(): void {
    this.askForMore();
    if (this.source?.waitsForRoom === true) this.owner.onFed();
  }

  /** True when nothing is asked for and nothing can be, or nothing unpacked, for want of memory. */
  get isStarved(): boolean {
    if (this.source?.waitsForRoom === true) return true;
    return !this.fetch.asked && this.reads && this.bytesWanted() === 0;
  }

  /** Batches that are kept for few of their records. */
  sparseHolds(): BatchHold[] {
    return this.source!.sparseHolds();
  }

  /** An answer named the end of the log. */
  sawEnd(endOfLog: number): void {
    if (endOfLog >= 0) this.endOfLog = endOfLog;
  }

  /** What was fetched, in order; the emission loop is told when the whole answer is in. */
  push(data: FetchedData, largestBatchBytes: number): void {
    const share = this.share!;
    share.batchBytes = largestBatchBytes;
    share.take(data.records.length);
    this.source!.push(data);
  }

  /** Reading cannot go on after what is buffered. */
  fail(error: KafkaError): void {
    if (this.failing) return;
    this.failing = true;
    this.source!.fail(error);
    this.owner.onFed();
  }

  /** After what is buffered, reading goes on at `offset`; `leaderEpoch` is that of the record before it, -1 when unknown. */
  jumpTo(offset: number, leaderEpoch = -1): void {
    this.source!.jump(offset);
    this.fetch.jumpTo(offset, leaderEpoch);
    this.owner.onFed();
    this.askForMore();
  }

  /** Drops what is buffered and goes on at `offset`; `leaderEpoch` is that of the record before it, -1 when unknown. */
  rewind(offset: number, leaderEpoch: number): void {
    this.source?.clear(offset);
    this.fetch.jumpTo(offset, leaderEpoch);
    this.failing = false;
  }

  /** The cursor met an error in the data itself. */
  stop(): void {
    this.failing = true;
  }

  /** Leaves the fetcher and its budget. */
  close(): void {
    this.closed = true;
    this.share?.leave();
    this.host?.closed(this.reader);
  }

  private get reads(): boolean {
    return !this.failing && this.owner.takes();
  }
}
