// Telling the receipts of a batch what became of it.

import type { Batch } from './batch.ts';
import type { ProducerContext } from './context.ts';

/** Calls every receipt in order and lets go of the batch's memory. What a receipt throws is reported and stops nothing. */
export function deliver(batch: Batch, partition: number, context: ProducerContext): void {
  const { receipts, timestamps, waiters, sealed, error } = batch;
  batch.state = 'done';
  batch.receipts = [];
  batch.timestamps = [];
  batch.sealed = undefined;
  batch.builder = undefined;
  const { counters } = context;
  if (error !== undefined) {
    counters.recordsFailed += receipts.length;
  } else if (receipts.length > 0) {
    counters.recordsSent += receipts.length;
    counters.batchesSent += 1;
    counters.bytesSent += sealed?.length ?? 0;
  }
  const { offset, appendTime } = batch;
  for (let i = 0; i < receipts.length;) {
    try {
      if (error !== undefined) for (; i < receipts.length; i += 1) receipts[i]!.onFailed(error);
      else if (appendTime >= 0 || offset < 0)
        for (; i < receipts.length; i += 1)
          receipts[i]!.onAcked(
            partition,
            offset < 0 ? -1 : offset + i,
            appendTime >= 0 ? appendTime : timestamps[i]!,
          );
      else for (; i < receipts.length; i += 1) receipts[i]!.onAcked(partition, offset + i, timestamps[i]!);
    } catch (thrown) {
      i += 1;
      context.report(thrown);
    }
  }
  if (waiters === undefined) return;
  for (const waiter of waiters) {
    waiter.left -= 1;
    if (waiter.left === 0) waiter.onDone();
  }
}
