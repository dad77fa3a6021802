import { prepareCodec } from '../../../core/compression/registry.ts';
import { BatchCursor } from '../../../core/records/batch-cursor.ts';
import type { FetchedRecord } from '../../../core/records/fetched-record.ts';
import { parseBatches } from '../../../core/records/record-batch.ts';
import type { Partition } from '../state/partition.ts';
import { batchBytes } from './partition-log.ts';
import type { StoredBatch } from './partition-log.ts';

/** Decodes one stored batch; records before the log's start are left out. */
export async function readRecords(partition: Partition, stored: StoredBatch): Promise<FetchedRecord[]> {
  const origin = { topic: partition.topic, partition: partition.index };
  const records: FetchedRecord[] = [];
  for (const batch of parseBatches(batchBytes(stored), origin)) {
    await prepareCodec(batch.codecId);
    const cursor = new BatchCursor(batch, origin.topic, origin.partition, partition.log.startOffset);
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
  const records = await readRecords(partition, stored);
  return records.find((record) => record.timestamp >= timestamp);
}
