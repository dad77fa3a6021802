// What a partition has taken and never sent: the open batch, which takes records, and closed ones that wait for their turn.

import { BatchBuilder } from '../records/batch-builder.ts';
import { Batch } from './batch.ts';
import type { BatchMemory } from './batch-memory.ts';

const START_BYTES = 4096;

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
  openBatch(maxBytes: number, now: number, deliveryTimeoutMs: number): Batch {
    this.close();
    // Memory of full size only for a partition that has lately filled it.
    const isBusy = this.startBytes >= maxBytes && maxBytes === this.memory.bytes;
    const memory = isBusy ? this.memory.take() : undefined;
    const batch = new Batch(
      new BatchBuilder(maxBytes, memory ?? this.startBytes),
      now,
      now + deliveryTimeoutMs,
    );
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
