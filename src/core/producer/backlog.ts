// What a partition has taken and never sent: the open batch, which takes records, and closed ones that wait for their turn.

import { BatchBuilder } from '../records/batch-builder.ts';
import { Batch } from './batch.ts';
import { CountedBatch } from './counted-batch.ts';
import type { BatchMemory } from './batch-memory.ts';

const START_BYTES = 4096;
const BUSY_BYTES = 64 * 1024;

/** The unsent batches of one partition, oldest first. */
export class Backlog {
  /** Takes records. */
  open: Batch | undefined;
  /** Full or flushed. */
  readonly closed: Batch[] = [];
  private startBytes = START_BYTES;
  private readonly memory: BatchMemory;

  constructor(memory: BatchMemory) {
    this.memory = memory;
  }

  get isEmpty(): boolean {
    return this.open === undefined && this.closed.length === 0;
  }

  get oldest(): Batch | undefined {
    return this.closed[0] ?? this.open;
  }

  /** A new open batch; the one before, if any, is closed. */
  openBatch(
    maxBytes: number,
    now: number,
    deliveryTimeoutMs: number,
    limit?: { readonly records: number; readonly onFull: () => void },
  ): Batch {
    this.close();
    // A busy partition's batch may go on to its full size, and growing there would cost more than memory that is used again.
    const isBusy = this.startBytes >= Math.min(BUSY_BYTES, maxBytes);
    const memory = isBusy ? this.memory.take(maxBytes) : undefined;
    const builder = new BatchBuilder(maxBytes, memory ?? this.startBytes);
    const deadlineAt = now + deliveryTimeoutMs;
    const batch =
      limit === undefined
        ? new Batch(builder, now, deadlineAt)
        : new CountedBatch(builder, now, deadlineAt, limit);
    batch.memory = memory;
    this.open = batch;
    return batch;
  }

  /** Closes the open batch: it is sent as soon as its turn comes. */
  close(): void {
    const batch = this.open;
    if (batch === undefined) return;
    this.open = undefined;
    this.closed.push(batch);
    // As much memory as this one took, so that a busy partition's builder does not have to grow.
    while (this.startBytes < batch.bytes) this.startBytes *= 2;
    if (this.startBytes > START_BYTES && this.startBytes / 2 > batch.bytes) this.startBytes /= 2;
  }

  /** Takes out the oldest batch. */
  shift(): Batch | undefined {
    if (this.closed.length === 0) this.close();
    return this.closed.shift();
  }

  /** Takes out the oldest batches for as long as `chosen` says so. */
  *shiftWhile(chosen: (batch: Batch) => boolean): Iterable<Batch> {
    for (let { oldest } = this; oldest !== undefined && chosen(oldest); oldest = this.oldest) {
      this.shift();
      yield oldest;
    }
  }
}
