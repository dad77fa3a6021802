import { stampAppendTime, stampOffsets } from '../../../core/records/batch-header.ts';
import type { BatchHeader } from './batch-header.ts';
import { EpochCache } from './epoch-cache.ts';
import { ProducerStates } from './producer-state.ts';
import { nextSegment } from './segment.ts';
import type { Segment } from './segment.ts';

/** A batch in its log. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

export interface AppendOptions {
  readonly leaderEpoch: number;
  /** Given: all records get this timestamp (`LogAppendTime`). */
  readonly appendTime?: number | undefined;
  /** Whole batches are dropped from the front while more than this is retained. */
  readonly retentionBytes: number;
}

const NO_RECORDS = Buffer.alloc(0);

/** The raw batch, a view of the log's memory. */
export function batchBytes(batch: StoredBatch): Buffer {
  return batch.segment.buffer.subarray(batch.start, batch.end);
}

/** One partition's batches as raw bytes; every record below `endOffset` is committed, since nothing here replicates. */
export class PartitionLog {
  readonly epochs = new EpochCache();
  readonly producers = new ProducerStates();
  startOffset = 0;
  endOffset = 0;
  /** Bytes of all batches kept. */
  bytes = 0;
  #batches: StoredBatch[] = [];
  #segment: Segment | undefined;

  get batches(): readonly StoredBatch[] {
    return this.#batches;
  }

  /** Appends a checked batch; returns its base offset. */
  append(bytes: Buffer, header: BatchHeader, options: AppendOptions): number {
    if (this.#segment === undefined || this.#segment.room < bytes.length) {
      this.#segment = nextSegment(this.#segment, bytes.length);
    }
    const segment = this.#segment;
    const start = segment.add(bytes);
    const baseOffset = this.endOffset;
    const stored = segment.buffer.subarray(start, segment.used);
    stampOffsets(stored, baseOffset, options.leaderEpoch);
    if (options.appendTime !== undefined) stampAppendTime(stored, options.appendTime);
    this.#batches.push({
      baseOffset,
      lastOffset: baseOffset + header.lastOffsetDelta,
      leaderEpoch: options.leaderEpoch,
      maxTimestamp: options.appendTime ?? header.maxTimestamp,
      producerId: header.producerId,
      producerEpoch: header.producerEpoch,
      baseSequence: header.baseSequence,
      recordCount: header.recordCount,
      segment,
      start,
      end: segment.used,
    });
    this.endOffset = baseOffset + header.lastOffsetDelta + 1;
    this.bytes += bytes.length;
    this.producers.record(header, baseOffset, options.appendTime ?? -1);
    if (this.bytes > options.retentionBytes) this.#retain(options.retentionBytes);
    return baseOffset;
  }

  /**
   * The bytes from the batch that holds `offset` on, a view of up to `maxBytes` that may end in the middle of a batch, as Kafka's do. With
   * `atLeastOne` the first batch is whole however large it is; without, a first batch that does not fit gives nothing.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const first = this.#batches[this.#indexOf(offset)];
    if (first === undefined) return NO_RECORDS;
    const size = first.end - first.start;
    if (size > maxBytes) return atLeastOne ? batchBytes(first) : NO_RECORDS;
    const { segment, start } = first;
    return segment.buffer.subarray(start, Math.min(segment.used, start + maxBytes));
  }

  /** Bytes available from `offset` on, counted up to `limit`. */
  bytesFrom(offset: number, limit: number): number {
    let bytes = 0;
    for (let at = this.#indexOf(offset); at < this.#batches.length && bytes < limit; at++) {
      const batch = this.#batches[at]!;
      bytes += batch.end - batch.start;
    }
    return bytes;
  }

  /** The first batch that may hold a record at or after `timestamp`. */
  batchFrom(timestamp: number): StoredBatch | undefined {
    return this.#batches.find((batch) => batch.maxTimestamp >= timestamp);
  }

  /** The first batch with the largest timestamp. */
  batchWithMaxTimestamp(): StoredBatch | undefined {
    let largest: StoredBatch | undefined;
    for (const batch of this.#batches) {
      if (largest === undefined || batch.maxTimestamp > largest.maxTimestamp) largest = batch;
    }
    return largest;
  }

  /** Records before `offset` are gone; the batch that holds it stays whole. */
  deleteBefore(offset: number): void {
    this.startOffset = Math.max(this.startOffset, Math.min(offset, this.endOffset));
    const keepFrom = this.#batches.findIndex((batch) => batch.lastOffset >= this.startOffset);
    this.#drop(keepFrom < 0 ? this.#batches.length : keepFrom);
  }

  #retain(limit: number): void {
    let drop = 0;
    let bytes = this.bytes;
    while (bytes > limit && drop < this.#batches.length - 1) {
      const batch = this.#batches[drop++]!;
      bytes -= batch.end - batch.start;
    }
    if (drop > 0) this.startOffset = Math.max(this.startOffset, this.#batches[drop]!.baseOffset);
    this.#drop(drop);
  }

  #drop(count: number): void {
    for (const batch of this.#batches.splice(0, count)) this.bytes -= batch.end - batch.start;
    if (this.#batches.length === 0) this.#segment = undefined;
  }

  /** Index of the first batch that ends at or after `offset`. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
