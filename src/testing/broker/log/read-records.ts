import { prepareCodec } from '../../../core/compression/registry.ts';
import { BatchCursor } from '../../../core/records/batch-cursor.ts';
import type { FetchedRecord } from '../../../core/records/fetched-record.ts';
import { parseBatches } from '../../../core/records/record-batch.ts';
import type { Partition } from '../state/partition.ts';
import { batchBytes } from './stored-batch.ts';
import type { StoredBatch } from './stored-batch.ts';

/** Decodes one stored batch; records before the log's start are left out, and markers unless asked for. */
export async function readRecords(
  partition: Partition,
  stored: StoredBatch,
  withControl = false,
): Promise<FetchedRecord[]> {
  const origin = { topic: partition.topic, partition: partition.index };
  const records: FetchedRecord[] = [];
  for (const batch of parseBatches(batchBytes(stored), origin)) {
    await prepareCodec(batch.codecId);
    const from = partition.log.startOffset;
    const cursor = new BatchCursor(batch, origin.topic, origin.partition, from, withControl);
    for (let record = cursor.next(); record !== undefined; record = cursor.next()) records.push(record);
  }
  return records;
}

/** The first record of the batch at or after `timestamp`. */
export async function firstRecordFrom(
  partition: Partition,
  stored: StoredBatch,
  timestamp: number,
): Promise<FetchedRecord | undefined> {
  const records = await readRecords(partition, stored, true);
  return records.find((record) => record.timestamp >= timestamp);
}
