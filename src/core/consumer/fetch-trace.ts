// What those who listen are told of answers to Fetch. Nothing is made while nobody does.

import { fetchEvents } from '../events/channels.ts';
import type { FetchedPartition } from '../events/record-events.ts';
import type { PartitionReading } from '../events/readings.ts';
import type { ResponseOf } from '../protocol/api.ts';
import type { fetchApi } from '../protocol/messages/01-fetch.ts';
import { BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../records/batch-header.ts';
import type { Asked } from './fetch-request.ts';
import type { PartitionReader } from './partition-reader.ts';

type FetchResponse = ResponseOf<typeof fetchApi>;

/** An answer came. */
export function tellFetched(clientId: string, nodeId: number, asked: Asked, response: FetchResponse): void {
  const partitions: FetchedPartition[] = [];
  let bytes = 0;
  for (const { topic, topicId, partitions: parts } of response.responses)
    for (const part of parts) {
      const ask = asked.find(topic, topicId, part.partitionIndex);
      if (ask === undefined || part.errorCode !== 0) continue;
      const size = part.records?.length ?? 0;
      bytes += size;
      partitions.push({
        topic: ask.reader.topic,
        partition: part.partitionIndex,
        offset: ask.offset,
        bytes: size,
        records: part.records === null ? 0 : recordsIn(part.records),
        highWatermark: part.highWatermark,
        logStartOffset: part.logStartOffset,
      });
    }
  const { throttleTimeMs } = response;
  fetchEvents.publish({ clientId, nodeId, kind: 'answered', bytes, throttleTimeMs, partitions });
}

/** None came, or one that fails all of it. */
export function tellFailedFetch(clientId: string, nodeId: number, partitions: number, error: unknown): void {
  fetchEvents.publish({ clientId, nodeId, kind: 'failed', partitions, error });
}

/** How far a reader is. */
export function readingOf(clientId: string, reader: PartitionReader): PartitionReading {
  const { topic, partition, position, lag, inFlightRecords, inFlightBytes, bufferedBytes } = reader;
  const endOfLog = reader.highWatermark;
  return {
    clientId,
    topic,
    partition,
    position,
    endOfLog,
    lag,
    inFlightRecords,
    inFlightBytes,
    bufferedBytes,
  };
}

/** As the headers of the complete batches say; a length that does not fit ends the walk. */
function recordsIn(records: Buffer): number {
  let count = 0;
  for (let at = 0; records.length - at >= BATCH_OVERHEAD;) {
    const bytes = records.readInt32BE(at + HEADER.batchLength) + LENGTH_OVERHEAD;
    if (bytes < BATCH_OVERHEAD || bytes > records.length - at) break;
    count += Math.max(0, records.readInt32BE(at + HEADER.recordCount));
    at += bytes;
  }
  return count;
}
