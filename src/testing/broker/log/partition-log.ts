import { stampAppendTime, stampOffsets } from '../../../core/records/batch-header.ts';
import { AbortedIndex } from './aborted-index.ts';
import type { AbortedTransaction } from './aborted-index.ts';
import { BatchList } from './batch-list.ts';
import type { BatchHeader } from './batch-header.ts';
import { encodeEndMarker } from './end-marker.ts';
import type { EndMarker } from './end-marker.ts';
import { EpochCache } from './epoch-cache.ts';
import type { EpochStart } from './epoch-cache.ts';
import { LogMemory } from './log-memory.ts';
import type { BoundedLog } from './log-memory.ts';
import { ProducerStates } from './producer-state.ts';
import type { CompletedTransaction, ProducerEntry } from './producer-state.ts';
import { batchBytes } from './stored-batch.ts';
import type { CompactedBatch, StoredBatch, StoredMarker } from './stored-batch.ts';

export interface AppendOptions {
  readonly leaderEpoch: number;
  /** Given: all records get this timestamp (`LogAppendTime`). */
  readonly appendTime?: number | undefined;
  /** Whole batches are dropped from the front while more than this is retained. */
  readonly retentionBytes: number;
}

/** A log as plain data. */
export interface LogSnapshot {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly replicatedTo: number;
  readonly unreplicated: readonly CompletedTransaction[];
  readonly epochs: readonly EpochStart[];
  readonly aborted: readonly AbortedTransaction[];
  readonly producers: readonly ProducerEntry[];
  readonly batches: readonly (Omit<StoredBatch, 'segment' | 'start' | 'end'> & { readonly bytes: Buffer })[];
}

const NO_RECORDS = Buffer.alloc(0);
const NO_ABORTED: readonly AbortedTransaction[] = [];
/** A fetch that ends with its segment goes on in the next one only when it is shorter: a gathering copy costs more than another fetch. */
const SMALL_VIEW_BYTES = 64 * 1024;
/** How far apart the entries of Kafka's offset index are (`index.interval.bytes`). */
const INDEX_INTERVAL_BYTES = 4096;

/** One partition's batches as raw bytes, and what follows from them: the offsets up to which consumers may read, epochs, producers. */
export class PartitionLog implements BoundedLog {
  readonly epochs = new EpochCache();
  readonly producers = new ProducerStates();
  readonly aborted = new AbortedIndex();
  startOffset = 0;
  endOffset = 0;
  readonly #list: BatchList;
  readonly #memory: LogMemory;
  /** Followers have no record from here on; Infinity while they replicate at once. */
  #replicatedTo = Infinity;
  /** Transactions that were over before the followers had their markers. */
  #unreplicated: CompletedTransaction[] = [];
  #position = 0;
  #bytesSinceIndexed = 0;
  #maxTimestampSoFar = -1;

  constructor(memory: LogMemory = new LogMemory()) {
    this.#memory = memory;
    this.#list = new BatchList(memory);
    memory.add(this);
  }

  get batches(): readonly StoredBatch[] {
    return this.#list.all();
  }

  /** Bytes of all batches kept. */
  get bytes(): number {
    return this.#list.bytes;
  }

  get heldBytes(): number {
    return this.#list.heldBytes;
  }

  /** The offset after the last record that consumers may read. */
  get highWatermark(): number {
    return Math.min(this.endOffset, this.#replicatedTo);
  }

  /** The offset after the last record that consumers of committed records may read. */
  get lastStableOffset(): number {
    const open = this.producers.firstOpenOffset;
    if (open === undefined && this.#unreplicated.length === 0) return this.highWatermark;
    let first = open ?? Infinity;
    for (const { firstOffset } of this.#unreplicated) first = Math.min(first, firstOffset);
    return Math.min(this.highWatermark, first < this.startOffset ? this.#startOfFirstBatch() : first);
  }

  /** Appends a checked batch; returns its base offset. */
  append(bytes: Buffer, header: BatchHeader, options: AppendOptions): number {
    const maxTimestamp = options.appendTime ?? header.maxTimestamp;
    const baseOffset = this.#write(bytes, header, { ...options, maxTimestamp, marker: undefined });
    this.producers.record(header, baseOffset, maxTimestamp);
    if (this.#list.bytes > options.retentionBytes) this.#retain(options.retentionBytes);
    return baseOffset;
  }

  /** Appends the marker that ends a producer's transaction; returns its offset. */
  appendMarker(marker: EndMarker, leaderEpoch: number): number {
    const { producerId, producerEpoch, isAbort, coordinatorEpoch, timestamp } = marker;
    const header = {
      lastOffsetDelta: 0,
      producerId,
      producerEpoch,
      baseSequence: -1,
      recordCount: 1,
      isTransactional: true,
    };
    const offset = this.#write(encodeEndMarker(marker), header, {
      leaderEpoch,
      maxTimestamp: timestamp,
      marker: { isAbort, coordinatorEpoch },
    });
    const completed = this.producers.recordMarker(marker, offset);
    if (completed !== undefined) this.#complete(completed, isAbort);
    return offset;
  }

  /**
   * The bytes from the batch that holds `offset` on, a view of up to `maxBytes` that may end in the middle of a batch, as Kafka's do, and
   * holds nothing from `limit` on. With `atLeastOne` the first batch is whole however large it is; without, a first batch that does not
   * fit gives nothing.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean, limit: number = this.highWatermark): Buffer {
    if (offset >= limit) return NO_RECORDS;
    const list = this.#list;
    const index = list.indexOf(offset);
    const first = list.at(index);
    if (first === undefined || first.baseOffset >= limit) return NO_RECORDS;
    if (first.end - first.start > maxBytes) return atLeastOne ? batchBytes(first) : NO_RECORDS;
    const view = this.#viewFrom(first, maxBytes, limit);
    const isSmall = view.length < SMALL_VIEW_BYTES && view.length < maxBytes;
    return isSmall ? this.#gather(index, maxBytes, limit) : view;
  }

  /** Bytes available from `offset` up to the offset `to`, counted up to `limit`. */
  bytesFrom(offset: number, limit: number, to: number = this.highWatermark): number {
    const list = this.#list;
    let bytes = 0;
    for (let at = list.indexOf(offset); bytes < limit; at++) {
      const batch = list.at(at);
      if (batch === undefined || batch.baseOffset >= to) break;
      bytes += batch.end - batch.start;
    }
    return bytes;
  }

  /**
   * The aborted transactions that a reader must know who was given `bytes` bytes from `offset` on. Like Kafka's answer it may name some
   * that begin a little behind: the range ends at an entry of the offset index.
   */
  abortedTransactions(offset: number, bytes: number): readonly AbortedTransaction[] {
    if (bytes === 0) return NO_ABORTED;
    const list = this.#list;
    let at = list.indexOf(offset);
    const end = (list.at(at)?.position ?? 0) + bytes;
    let batch = list.at(at);
    while (batch !== undefined && (batch.position < end || !batch.isIndexed)) batch = list.at(++at);
    return this.aborted.overlapping(offset, batch?.lastOffset ?? this.endOffset);
  }

  /** The bytes of the last batch; empty when there is none. */
  lastBatch(): Buffer {
    const last = this.#list.last();
    return last === undefined ? NO_RECORDS : batchBytes(last);
  }

  /** The first batch that may hold a record at or after `timestamp`. */
  batchFrom(timestamp: number): StoredBatch | undefined {
    return this.#list.batchFrom(timestamp);
  }

  /** The first batch with the largest timestamp. */
  batchWithMaxTimestamp(): StoredBatch | undefined {
    let largest: StoredBatch | undefined;
    for (const batch of this.#list.all()) {
      if (largest === undefined || batch.maxTimestamp > largest.maxTimestamp) largest = batch;
    }
    return largest;
  }

  /** Records before `offset` are gone; the batch that holds it stays whole. */
  deleteBefore(offset: number): void {
    const start = Math.min(offset, this.endOffset);
    if (start <= this.startOffset) return;
    this.startOffset = start;
    this.#list.dropBefore(start);
    this.epochs.dropBefore(start);
    this.aborted.dropBefore(start);
  }

  /** The oldest half of what is kept goes, up to the high watermark; false when nothing is there to go. */
  deleteOldest(): boolean {
    const all = this.#list.all();
    const target = this.#list.bytes / 2;
    let bytes = 0;
    let before = this.startOffset;
    for (const batch of all) {
      if (bytes > target || batch.lastOffset >= this.highWatermark) break;
      bytes += batch.end - batch.start;
      before = batch.lastOffset + 1;
    }
    if (bytes === 0) return false;
    this.deleteBefore(before);
    return true;
  }

  /** Followers fetch nothing from now on (or from `offset` on): the high watermark stays where it is. */
  holdReplication(offset: number = this.endOffset): void {
    this.#replicatedTo = Math.min(this.#replicatedTo, offset);
  }

  /** Followers have everything again, and replicate at once. */
  releaseReplication(): void {
    this.#replicatedTo = Infinity;
    this.#unreplicated = [];
  }

  get isReplicationHeld(): boolean {
    return this.#replicatedTo !== Infinity;
  }

  /** Everything from `offset` on is gone, and with it the batch that holds it: what a follower does that leads from now on. */
  truncateTo(offset: number): void {
    if (offset >= this.endOffset) return;
    this.#list.truncateTo(offset);
    const last = this.#list.last();
    if (last === undefined) this.startOffset = Math.min(this.startOffset, offset);
    this.endOffset = last === undefined ? this.startOffset : last.lastOffset + 1;
    this.#continueAfter(last);
    this.epochs.truncateTo(this.endOffset);
    this.aborted.truncateTo(this.endOffset);
    this.producers.truncateTo(this.endOffset, this.#list.all());
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset < this.endOffset);
  }

  /** Whole batches at the front go of which no record is as young as `timestamp`. */
  expireBefore(timestamp: number): void {
    const kept = this.#list.firstSince(timestamp, this.highWatermark);
    this.deleteBefore(Math.min(kept?.baseOffset ?? this.endOffset, this.highWatermark));
  }

  /** All that there is to know of the log, by itself: bytes are copied. */
  snapshot(): LogSnapshot {
    const batches = this.#list.all().map(({ segment: _segment, start: _start, end: _end, ...batch }, at) => ({
      ...batch,
      bytes: Buffer.from(batchBytes(this.#list.all()[at]!)),
    }));
    return {
      startOffset: this.startOffset,
      endOffset: this.endOffset,
      replicatedTo: this.#replicatedTo,
      unreplicated: [...this.#unreplicated],
      epochs: [...this.epochs.all()],
      aborted: [...this.aborted.all()],
      producers: Array.from(this.producers.all(), (entry) => ({ ...entry, batches: [...entry.batches] })),
      batches,
    };
  }

  /** Makes an empty log what a snapshot says. */
  restore(from: LogSnapshot): void {
    for (const { bytes, ...batch } of from.batches) {
      const segment = this.#list.segmentFor(bytes.length);
      const start = segment.add(bytes);
      this.#list.push({ ...batch, segment, start, end: segment.used });
    }
    this.startOffset = from.startOffset;
    this.endOffset = from.endOffset;
    this.#replicatedTo = from.replicatedTo;
    this.#unreplicated = [...from.unreplicated];
    for (const { epoch, startOffset } of from.epochs) this.epochs.begin(epoch, startOffset);
    for (const entry of from.aborted) this.aborted.add(entry);
    this.producers.restore(from.producers);
    this.#continueAfter(this.#list.last());
  }

  /** Puts what compaction made of batches in their places; those not named stay as they are. */
  replace(compacted: ReadonlyMap<StoredBatch, CompactedBatch | undefined>): void {
    this.#list.replace(compacted);
  }

  /** The log is no more: its memory is given back. */
  close(): void {
    this.#list.clear();
    this.#memory.remove(this);
  }

  /** Before the log's start when that was moved into the middle of a batch. */
  #startOfFirstBatch(): number {
    return this.#list.at(this.#list.indexOf(this.startOffset))?.baseOffset ?? this.startOffset;
  }

  /** What the segment of `first` holds from it on. */
  #viewFrom(first: StoredBatch, maxBytes: number, limit: number): Buffer {
    const { segment, start } = first;
    let until = segment.used;
    if (limit < this.endOffset) {
      const beyond = this.#list.at(this.#list.indexOf(limit));
      if (beyond?.segment === segment) until = beyond.start;
    }
    return segment.buffer.subarray(start, Math.min(until, start + maxBytes));
  }

  /** The same with what follows in the next segments: a log that is small is answered in one piece, as Kafka's are. */
  #gather(index: number, maxBytes: number, limit: number): Buffer {
    const parts: Buffer[] = [];
    let bytes = 0;
    let at = index;
    let first = this.#list.at(at);
    while (first !== undefined && first.baseOffset < limit && bytes < maxBytes) {
      const view = this.#viewFrom(first, maxBytes - bytes, limit);
      parts.push(view);
      bytes += view.length;
      const { segment } = first;
      do first = this.#list.at(++at);
      while (first?.segment === segment);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  #write(
    bytes: Buffer,
    header: WrittenHeader,
    how: { readonly leaderEpoch: number; readonly maxTimestamp: number } & {
      readonly appendTime?: number | undefined;
      readonly marker: StoredMarker | undefined;
    },
  ): number {
    const baseOffset = this.endOffset;
    const segment = this.#list.segmentFor(bytes.length);
    const start = segment.add(bytes);
    const stored = segment.buffer.subarray(start, segment.used);
    stampOffsets(stored, baseOffset, how.leaderEpoch);
    if (how.appendTime !== undefined) stampAppendTime(stored, how.appendTime);
    const isIndexed = this.#bytesSinceIndexed > INDEX_INTERVAL_BYTES;
    this.#bytesSinceIndexed = (isIndexed ? 0 : this.#bytesSinceIndexed) + bytes.length;
    this.#maxTimestampSoFar = Math.max(this.#maxTimestampSoFar, how.maxTimestamp);
    const lastOffset = baseOffset + header.lastOffsetDelta;
    this.#list.push({
      baseOffset,
      lastOffset,
      leaderEpoch: how.leaderEpoch,
      maxTimestamp: how.maxTimestamp,
      producerId: header.producerId,
      producerEpoch: header.producerEpoch,
      baseSequence: header.baseSequence,
      recordCount: header.recordCount,
      isTransactional: header.isTransactional,
      marker: how.marker,
      maxTimestampSoFar: this.#maxTimestampSoFar,
      position: this.#position,
      isIndexed,
      segment,
      start,
      end: segment.used,
    });
    this.#position += bytes.length;
    this.endOffset = lastOffset + 1;
    return baseOffset;
  }

  #continueAfter(last: StoredBatch | undefined): void {
    this.#maxTimestampSoFar = last?.maxTimestampSoFar ?? -1;
    this.#bytesSinceIndexed = 0;
    if (last !== undefined) this.#position = last.position + last.end - last.start;
  }

  #complete(completed: CompletedTransaction, isAbort: boolean): void {
    if (this.#replicatedTo !== Infinity) this.#unreplicated.push(completed);
    if (!isAbort) return;
    const { producerId, firstOffset, lastOffset } = completed;
    const lastStableOffset = this.producers.firstOpenOffset ?? lastOffset + 1;
    this.aborted.add({ producerId, firstOffset, lastOffset, lastStableOffset });
  }

  #retain(limit: number): void {
    const start = this.#list.firstWithin(limit, this.highWatermark)?.baseOffset;
    if (start !== undefined) this.deleteBefore(start);
  }
}

type WrittenHeader = Pick<
  BatchHeader,
  'lastOffsetDelta' | 'producerId' | 'producerEpoch' | 'baseSequence' | 'recordCount' | 'isTransactional'
>;
