// Records for doubles: real ones, read from a batch as a broker would send it.
import { BatchBuilder } from '../../core/records/batch-builder.ts';
import { BatchCursor } from '../../core/records/batch-cursor.ts';
import { stampOffsets } from '../../core/records/batch-header.ts';
import type { FetchedRecord } from '../../core/records/fetched-record.ts';
import { parseBatches } from '../../core/records/record-batch.ts';
import type { Bytes, HeadersInit } from '../../core/records/types.ts';

/** A record for a double to hand over. */
export interface YieldedRecord {
  readonly key?: Bytes | null | undefined;
  readonly value?: Bytes | null | undefined;
  readonly headers?: HeadersInit | undefined;
  /** Milliseconds since 1970; default 0. */
  readonly timestamp?: number | undefined;
  /** Default: the one after the last. A larger one leaves a gap, as compaction does. */
  readonly offset?: number | undefined;
  /** Default 0. */
  readonly leaderEpoch?: number | undefined;
}

const MAX_BYTES = 1 << 30;

/** The record as a consumer hands it over. @throws UsageError for what a producer would refuse */
export function fetchedRecord(
  topic: string,
  partition: number,
  offset: number,
  { key = null, value = null, headers, timestamp = 0, leaderEpoch = 0 }: YieldedRecord,
): FetchedRecord {
  const builder = new BatchBuilder(MAX_BYTES);
  builder.tryAppend(key, value, headers, timestamp);
  const bytes = builder.seal({ codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 });
  stampOffsets(bytes, offset, leaderEpoch);
  const [batch] = parseBatches(bytes, { topic, partition });
  return new BatchCursor(batch!, topic, partition).next()!;
}
