import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { listOffsetsApi } from '../../../core/protocol/messages/02-list-offsets.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { firstRecordFrom } from '../log/read-records.ts';
import type { StoredBatch } from '../log/stored-batch.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';
import { findLed, findTopic } from './lookup.ts';

type Request = RequestRead<typeof listOffsetsApi>;
type PartitionRequest = Request['topics'][number]['partitions'][number];
type PartitionResponse = ResponseInit<typeof listOffsetsApi>['topics'][number]['partitions'][number];

/** Timestamps that are questions. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const LEADER_EPOCH_FROM = 4;
const READ_COMMITTED = 1;

export const listOffsetsHandler = serve(listOffsetsApi, {
  async handle(request, context) {
    const topics = request.topics.map(async (wanted) => {
      const topic = findTopic(wanted, false, context);
      const partitions = wanted.partitions.map(async (partition): Promise<PartitionResponse> => {
        const reference = { index: partition.partitionIndex, leaderEpoch: partition.currentLeaderEpoch };
        const led = findLed(topic, reference, context);
        if (typeof led === 'number') return { partitionIndex: partition.partitionIndex, errorCode: led };
        led.expire(context.cluster.clock.wallNow(), (topic as Topic).config.retentionMs);
        return find(led, partition, request.isolationLevel, context);
      });
      return { name: wanted.name, partitions: await Promise.all(partitions) };
    });
    return { topics: await Promise.all(topics) };
  },
});

async function find(
  partition: Partition,
  wanted: PartitionRequest,
  isolationLevel: number,
  context: RequestContext,
): Promise<PartitionResponse> {
  const { log } = partition;
  const readableTo = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark;
  const at = (offset: number, timestamp: number, leaderEpoch: number): PartitionResponse => ({
    partitionIndex: partition.index,
    errorCode: ERRORS.NONE,
    offset,
    timestamp,
    leaderEpoch: context.version >= LEADER_EPOCH_FROM ? leaderEpoch : -1,
  });
  const inBatch = async (batch: StoredBatch | undefined, timestamp: number): Promise<PartitionResponse> => {
    if (batch === undefined) return at(-1, -1, -1);
    const found = await firstRecordFrom(partition, batch, timestamp);
    // What may not be read yet is not told of either.
    const isReadable = found !== undefined && found.offset < readableTo;
    return !isReadable ? at(-1, -1, -1) : at(found.offset, found.timestamp, batch.leaderEpoch);
  };
  switch (wanted.timestamp) {
    case LATEST:
      return at(readableTo, -1, partition.leaderEpoch);
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(log.startOffset, -1, log.epochs.at(log.startOffset));
    case LATEST_TIERED:
      return at(-1, -1, -1);
    case MAX_TIMESTAMP: {
      const batch = log.batchWithMaxTimestamp();
      return inBatch(batch, batch?.maxTimestamp ?? -1);
    }
    default:
      return inBatch(log.batchFrom(wanted.timestamp), wanted.timestamp);
  }
}
