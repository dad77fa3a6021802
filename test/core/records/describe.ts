// What is in a file of batches, in the form that test/golden/records/Golden.java prints it.
import { createHash } from 'node:crypto';
import { prepareCodec } from '../../../src/core/compression/registry.ts';
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import type { RecordBatch } from '../../../src/core/records/record-batch.ts';

/** Hex; of long values the length and a digest. */
function text(bytes: Buffer | null): string | null {
  if (bytes === null) return null;
  if (bytes.length <= 64) return bytes.toString('hex');
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

export function recordsOf(batch: RecordBatch, withControl = false): FetchedRecord[] {
  const cursor = new BatchCursor(batch, 'topic', 0, batch.baseOffset, withControl);
  const records: FetchedRecord[] = [];
  for (let record = cursor.next(); record !== undefined; record = cursor.next()) records.push(record);
  return records;
}

function describeRecord(record: FetchedRecord) {
  return {
    offset: record.offset,
    timestamp: String(record.timestampBigInt),
    size: record.bytes,
    key: text(record.key),
    value: text(record.value),
    headers: [...record.headers].map(([name, value]) => [text(Buffer.from(name)), text(value)]),
  };
}

export async function describeBatches(bytes: Buffer): Promise<unknown> {
  const batches: unknown[] = [];
  for (const batch of parseBatches(bytes, { topic: 'topic', partition: 0 })) {
    await prepareCodec(batch.codecId);
    batches.push({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      leaderEpoch: batch.leaderEpoch,
      count: batch.count,
      codec: batch.codec,
      timestampType: batch.timestampType,
      maxTimestamp: batch.maxTimestamp,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      isControl: batch.isControl,
      isTransactional: batch.isTransactional,
      wireBytes: batch.wireBytes,
      records: recordsOf(batch, true).map(describeRecord),
    });
  }
  return batches;
}
