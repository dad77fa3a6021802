// What a partition has taken and never sent: the open batch, which takes records, and closed ones that wait for their turn.

import { BatchBuilder } from '../records/batch-builder.ts';
import { Batch } from './batch.ts';

const START_BYTES = 4096;

/** The unsent batches of one partition, oldest first. */
export class Backlog {
  /** Takes records. */
  open: Batch | undefined;
  /** Full or flushed. */
  readonly closed: Batch[] = [];
  private startBytes = START_BYTES;

  get isEmpty(): boolean {
    return this.open === undefined && this.closed.length === 0;
  }

  get oldest(): Batch | undefined {
    return this.closed[0] ?? this.open;
  }

  /** A new open batch; the one before, if any, is closed. */
  openBatch(maxBytes: number, now: number, deliveryTimeoutMs: number): Batch {
    this.close();
    const batch = new Batch(new BatchBuilder(maxBytes, this.startBytes), now, now + deliveryTimeoutMs);
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
    while (this.startBytes > START_BYTES && this.startBytes / 4 > batch.bytes) this.startBytes /= 2;
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
