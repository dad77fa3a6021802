import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../core/compression/codec.ts';
import { codecById } from '../../../core/compression/registry.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { BATCH_OVERHEAD } from '../../../core/records/batch-header.ts';
import { CompressionError } from '../../../errors.ts';
import type { Partition } from '../state/partition.ts';
import type { BatchHeader } from './batch-header.ts';
import type { Refusal } from './check-batch.ts';
import { RecordWalk } from './record-walk.ts';

const MAX_SHOWN = 3;

/** Refuses records without a key, which a compacted topic cannot take. Compressed batches are looked into once their codec is loaded. */
export function checkKeys(records: Buffer, header: BatchHeader, partition: Partition): Refusal | undefined {
  const payload = payloadOf(records, header.codecId);
  if (payload === undefined) return undefined;
  const walk = new RecordWalk(payload, header.recordCount);
  const place = `${partition.topic}-${partition.index}`;
  const batchIndexErrorMessage = `Compacted topic cannot accept message without key in topic partition ${place}.`;
  const recordErrors: { batchIndex: number; batchIndexErrorMessage: string }[] = [];
  for (let batchIndex = 0; walk.next(); batchIndex++) {
    if (walk.keyLength < 0) recordErrors.push({ batchIndex, batchIndexErrorMessage });
  }
  if (recordErrors.length === 0) return undefined;
  const shown = recordErrors
    .slice(0, MAX_SHOWN)
    .map((error) => `RecordError(batchIndex=${error.batchIndex}, message='${batchIndexErrorMessage}')`);
  const message = `One or more records have been rejected due to ${recordErrors.length} record errors in total, and only showing the first three errors at most: [${shown.join(', ')}]`;
  return { code: ERRORS.INVALID_RECORD, message, recordErrors };
}

function payloadOf(records: Buffer, codecId: number): Buffer | undefined {
  const payload = records.subarray(BATCH_OVERHEAD);
  if (codecId === 0) return payload;
  try {
    return codecById(codecId).decompress(payload, DEFAULT_MAX_DECOMPRESSED_BYTES);
  } catch (error) {
    if (error instanceof CompressionError) return undefined;
    throw error;
  }
}
