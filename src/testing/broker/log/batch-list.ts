import type { LogMemory } from './log-memory.ts';
import { nextSegment } from './segment.ts';
import type { Segment } from './segment.ts';
import { batchBytes } from './stored-batch.ts';
import type { CompactedBatch, StoredBatch } from './stored-batch.ts';

/** About what a batch takes besides its bytes. */
const BATCH_OBJECT_BYTES = 256;
/** Dropped batches are moved out of the array in runs, not one by one. */
const MIN_DROPPED = 256;

/** The batches of a log in their order, and the segments that hold their bytes. */
export class BatchList {
  /** Bytes of all batches. */
  bytes = 0;
  /** Memory held: segments, and what the batches take besides. */
  heldBytes = 0;
  readonly #memory: LogMemory;
  #batches: StoredBatch[] = [];
  /** Batches before this index are dropped. */
  #first = 0;
  #segments: Segment[] = [];

  constructor(memory: LogMemory) {
    this.#memory = memory;
  }

  all(): readonly StoredBatch[] {
    this.#squeeze();
    return this.#batches;
  }

  last(): StoredBatch | undefined {
    return this.#first < this.#batches.length ? this.#batches.at(-1) : undefined;
  }

  /** By the index that `indexOf` gives. */
  at(index: number): StoredBatch | undefined {
    return this.#batches[index];
  }

  /** Index of the first batch that ends at or after `offset`. */
  indexOf(offset: number): number {
    let low = this.#first;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first batch with a timestamp of at least `timestamp`. */
  batchFrom(timestamp: number): StoredBatch | undefined {
    let low = this.#first;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.maxTimestampSoFar < timestamp) low = middle + 1;
      else high = middle;
    }
    // The largest so far may be that of a batch that is gone.
    while (low < this.#batches.length && this.#batches[low]!.maxTimestamp < timestamp) low++;
    return this.#batches[low];
  }

  /** The first of the batches that remain when the oldest are dropped until at most `limit` bytes are left; the last one stays. */
  firstWithin(limit: number, highWatermark: number): StoredBatch | undefined {
    let at = this.#first;
    let { bytes } = this;
    while (bytes > limit && at < this.#batches.length - 1 && this.#batches[at]!.lastOffset < highWatermark) {
      const batch = this.#batches[at++]!;
      bytes -= batch.end - batch.start;
    }
    return at > this.#first ? this.#batches[at] : undefined;
  }

  /** The first batch with a record as young as `timestamp`, or that is not below the high watermark. */
  firstSince(timestamp: number, highWatermark: number): StoredBatch | undefined {
    let at = this.#first;
    for (; at < this.#batches.length; at++) {
      const batch = this.#batches[at]!;
      if (batch.maxTimestamp >= timestamp || batch.lastOffset >= highWatermark) break;
    }
    return this.#batches[at];
  }

  /** The segment with room for `bytes`. */
  segmentFor(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.room >= bytes) return last;
    const segment = nextSegment(last, bytes);
    this.#segments.push(segment);
    this.#hold(segment.buffer.length);
    return segment;
  }

  push(batch: StoredBatch): void {
    this.#batches.push(batch);
    this.bytes += batch.end - batch.start;
    this.#hold(BATCH_OBJECT_BYTES);
  }

  /** Drops the batches that end before `offset`. */
  dropBefore(offset: number): void {
    const keepFrom = this.indexOf(offset);
    for (let at = this.#first; at < keepFrom; at++) this.#count(this.#batches[at]!, -1);
    this.#first = keepFrom;
    if (this.#first >= MIN_DROPPED && this.#first * 2 >= this.#batches.length) this.#squeeze();
    this.#freeSegments();
  }

  /** Drops the batches that hold `offset` or come after it. */
  truncateTo(offset: number): void {
    const keepTo = this.indexOf(offset);
    for (let at = keepTo; at < this.#batches.length; at++) this.#count(this.#batches[at]!, -1);
    this.#batches.length = keepTo;
    const last = this.last();
    while (this.#segments.length > 0 && this.#segments.at(-1) !== last?.segment) {
      this.#hold(-this.#segments.pop()!.buffer.length);
    }
    if (last !== undefined) last.segment.close(last.end);
  }

  /** Puts others in the places of batches, or nothing; the bytes of all are written anew, one behind the other. */
  replace(others: ReadonlyMap<StoredBatch, CompactedBatch | undefined>): void {
    const old = [...this.all()];
    this.clear();
    for (const batch of old) {
      const other = others.has(batch) ? others.get(batch) : { ...batch, bytes: batchBytes(batch) };
      if (other === undefined) continue;
      const segment = this.segmentFor(other.bytes.length);
      const start = segment.add(other.bytes);
      const { maxTimestamp, recordCount, deleteHorizonMs } = other;
      this.push({
        ...batch,
        maxTimestamp,
        recordCount,
        ...(deleteHorizonMs !== undefined && { deleteHorizonMs }),
        segment,
        start,
        end: segment.used,
      });
    }
  }

  clear(): void {
    this.#memory.take(-this.heldBytes);
    this.heldBytes = 0;
    this.bytes = 0;
    this.#batches = [];
    this.#first = 0;
    this.#segments = [];
  }

  #count(batch: StoredBatch, sign: 1 | -1): void {
    this.bytes += sign * (batch.end - batch.start);
    this.#hold(sign * BATCH_OBJECT_BYTES);
  }

  #hold(bytes: number): void {
    this.heldBytes += bytes;
    this.#memory.take(bytes);
  }

  #freeSegments(): void {
    const first = this.#batches[this.#first];
    while (this.#segments.length > 0 && this.#segments[0] !== first?.segment) {
      this.#hold(-this.#segments.shift()!.buffer.length);
    }
  }

  #squeeze(): void {
    if (this.#first === 0) return;
    this.#batches.splice(0, this.#first);
    this.#first = 0;
  }
}
