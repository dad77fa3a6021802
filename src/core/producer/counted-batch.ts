import type { BatchBuilder } from '../records/batch-builder.ts';
import type { Bytes, HeadersInit } from '../records/types.ts';
import { Batch } from './batch.ts';
import type { Receipt } from './receipt.ts';

/** A batch that is full at a number of records. Of its own, so that batches without such a limit need not look at it for each record. */
export class CountedBatch extends Batch {
  private readonly limit: { readonly records: number; readonly onFull: () => void };

  constructor(
    builder: BatchBuilder,
    createdAt: number,
    deadlineAt: number,
    limit: { readonly records: number; readonly onFull: () => void },
  ) {
    super(builder, createdAt, deadlineAt);
    this.limit = limit;
  }

  override get isFull(): boolean {
    return this.count >= this.limit.records;
  }

  override tryAppend(
    key: Bytes | null,
    value: Bytes | null,
    headers: HeadersInit | undefined,
    timestamp: number,
    receipt: Receipt,
    tag: number,
  ): boolean {
    if (this.count >= this.limit.records) return false;
    if (!super.tryAppend(key, value, headers, timestamp, receipt, tag)) return false;
    if (this.count >= this.limit.records) this.limit.onFull();
    return true;
  }
}
