// Requests that the broker's tests send again and again.
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';
import { BatchCursor } from '../../../src/core/records/batch-cursor.ts';
import { parseBatches } from '../../../src/core/records/record-batch.ts';
import type { CodecName } from '../../../src/core/compression/codec.ts';
import type { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import type { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import type { RequestOf } from '../../../src/core/protocol/api.ts';

export interface BatchOptions {
  readonly values: readonly (string | null)[];
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly timestamp?: number;
  readonly codec?: CodecName;
}

export function batchOf(options: BatchOptions): Buffer {
  const builder = new BatchBuilder(2 ** 30);
  options.values.forEach((value, at) => {
    builder.tryAppend(null, value, undefined, (options.timestamp ?? 1_700_000_000_000) + at);
  });
  return builder.seal({
    codec: options.codec ?? 'none',
    producerId: options.producerId ?? -1,
    producerEpoch: options.producerEpoch ?? -1,
    baseSequence: options.baseSequence ?? -1,
  });
}

export interface Place {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partition?: number;
}

export function produceRequest(
  records: Uint8Array | null,
  at: Place & { readonly acks?: number } = {},
): RequestOf<typeof produceApi> {
  const { topic = 'lines', topicId, partition = 0, acks = -1 } = at;
  return {
    acks,
    timeoutMs: 1000,
    topicData: [
      {
        name: topic,
        ...(topicId !== undefined && { topicId }),
        partitionData: [{ index: partition, records }],
      },
    ],
  };
}

export interface FetchAt extends Place {
  readonly offset?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly leaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

export function fetchRequest(at: FetchAt = {}): RequestOf<typeof fetchApi> {
  return {
    maxWaitMs: at.maxWaitMs ?? 0,
    minBytes: at.minBytes ?? 1,
    maxBytes: at.maxBytes ?? 2 ** 30,
    topics: [
      {
        topic: at.topic ?? 'lines',
        ...(at.topicId !== undefined && { topicId: at.topicId }),
        partitions: [
          {
            partition: at.partition ?? 0,
            fetchOffset: at.offset ?? 0,
            partitionMaxBytes: at.partitionMaxBytes ?? 2 ** 30,
            currentLeaderEpoch: at.leaderEpoch ?? -1,
            lastFetchedEpoch: at.lastFetchedEpoch ?? -1,
          },
        ],
      },
    ],
  };
}

/** Offset and value of every record in fetched bytes. */
export function recordsIn(records: Buffer | null): [number, string | undefined][] {
  const found: [number, string | undefined][] = [];
  for (const batch of parseBatches(records ?? Buffer.alloc(0), { topic: 'lines', partition: 0 })) {
    const cursor = new BatchCursor(batch, 'lines', 0);
    for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
      found.push([record.offset, record.value?.toString()]);
    }
  }
  return found;
}
