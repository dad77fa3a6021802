// Telling the receipts of a batch what became of it.

import type { Batch } from './batch.ts';
import { BatchEntries } from './batch-entries.ts';
import type { ProducerContext } from './context.ts';

/** Calls every receipt in order and lets go of the batch's memory. What a receipt throws is reported and stops nothing. */
export function deliver(batch: Batch, partition: number, context: ProducerContext): void {
  const { entries, waiters, sealed, error } = batch;
  const { count } = entries;
  batch.state = 'done';
  batch.entries = new BatchEntries();
  batch.sealed = undefined;
  batch.builder = undefined;
  const { counters } = context;
  if (error !== undefined) {
    counters.recordsFailed += count;
  } else if (count > 0) {
    counters.recordsSent += count;
    counters.batchesSent += 1;
    counters.bytesSent += sealed?.length ?? 0;
  }
  const { offset, appendTime } = batch;
  let next = 0;
  while (next < count) {
    try {
      while (error !== undefined && next < count) {
        const at = next++;
        entries.receipt(at).onFailed(error, entries.tag(at));
      }
      while (next < count) {
        const receipt = entries.receipt(next);
        const end = entries.runEnd(next);
        if (receipt.onRunAcked !== undefined) {
          const from = next;
          next = end;
          receipt.onRunAcked(entries, from, end);
        }
        while (next < end) {
          const at = next++;
          const timestamp = appendTime >= 0 ? appendTime : entries.timestamp(at);
          receipt.onAcked(partition, offset < 0 ? -1 : offset + at, timestamp, entries.tag(at));
        }
      }
    } catch (thrown) {
      context.report(thrown);
    }
  }
  if (waiters === undefined) return;
  for (const waiter of waiters) {
    waiter.left -= 1;
    if (waiter.left === 0) waiter.onDone();
  }
}
