// Which batches belong to transactions that were aborted ('read_committed').

import { controlType } from '../records/control-records.ts';
import type { RecordBatch } from '../records/record-batch.ts';

/** An aborted transaction as a fetch names it. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Follows the batches of one answer, in order, through the aborted transactions that came with it. */
export class AbortedTransactions {
  private readonly ahead: readonly AbortedTransaction[];
  private next = 0;
  private readonly running = new Set<number>();

  /** In any order. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.ahead = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** True when the records of `batch` were aborted. Every batch of the answer has to be shown, control batches included. */
  hides(batch: RecordBatch): boolean {
    for (; this.next < this.ahead.length; this.next += 1) {
      const { firstOffset, producerId } = this.ahead[this.next]!;
      if (firstOffset > batch.lastOffset) break;
      this.running.add(producerId);
    }
    if (!batch.isTransactional) return false;
    if (!batch.isControl) return this.running.has(batch.producerId);
    if (this.running.has(batch.producerId) && controlType(batch) === 'abort')
      this.running.delete(batch.producerId);
    return false;
  }
}
