// Offsets of partitions: by time, and the first one that is kept.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { listOffsetsApi } from '../protocol/messages/02-list-offsets.ts';
import { deleteRecordsApi } from '../protocol/messages/21-delete-records.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { answers } from './partition-rows.ts';
import type { TopicPartition } from './routing.ts';
import { onLeaders } from './routing.ts';
import { describeTopics } from './topics.ts';

/** Which offset: the first that is kept, the next to be written, or the first record at or after a time. */
export type OffsetPosition = 'earliest' | 'latest' | { readonly timestamp: number };

/** Limits of `listOffsets`. */
export interface ListOffsetsOptions extends AdminOptions {
  /** Default all partitions of the topic. */
  readonly partitions?: readonly number[] | undefined;
  /** With 'read_committed', 'latest' is the last stable offset; default 'read_uncommitted'. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed' | undefined;
}

/** An offset of a partition. */
export interface PartitionOffset extends TopicPartition {
  /** -1 when no record is at or after the timestamp asked for. */
  readonly offset: number;
  /** Of the record found by time, else -1. */
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** Records to delete: those below `beforeOffset`, or all. */
export interface RecordDeletion extends TopicPartition {
  readonly beforeOffset: number | 'latest';
}

/** The first offset that a partition still has. */
export interface LowWatermark extends TopicPartition {
  readonly lowWatermark: number;
}

const EARLIEST = -2;
const LATEST = -1;
const CONSUMER = -1;
const HIGH_WATERMARK = -1;

export async function listOffsets(
  cluster: Cluster,
  topic: string,
  at: OffsetPosition,
  options: ListOffsetsOptions,
): Promise<PartitionOffset[]> {
  const startedAt = cluster.clock.now();
  const partitions = options.partitions ?? (await partitionsOf(cluster, topic, options));
  const items: TopicPartition[] = partitions.map((partition) => ({ topic, partition }));
  const timestamp = at === 'earliest' ? EARLIEST : at === 'latest' ? LATEST : at.timestamp;
  const isolationLevel = options.isolationLevel === 'read_committed' ? 1 : 0;
  const leftMs = (options.timeoutMs ?? cluster.retry.deadlineMs) - (cluster.clock.now() - startedAt);
  const limits = { ...options, timeoutMs: Math.max(1, leftMs) };
  return settleAll<TopicPartition, PartitionOffset>(
    cluster,
    `Listing offsets of ${topic}`,
    items,
    limits,
    (attempt) =>
      onLeaders(cluster, attempt, async (nodeId, some) => {
        const rows = some.map(({ partition }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: cluster.metadata.leader(topic, partition)?.leaderEpoch ?? -1,
          timestamp,
        }));
        const { timeoutMs, signal } = attempt;
        const request = {
          replicaId: CONSUMER,
          isolationLevel,
          topics: [{ name: topic, partitions: rows }],
          timeoutMs,
        };
        const response = await cluster.send(nodeId, listOffsetsApi, request, { timeoutMs, signal });
        return answers(some, response.topics, ({ errorCode, ...row }, { partition }) =>
          errorCode === 0
            ? { topic, partition, offset: row.offset, timestamp: row.timestamp, leaderEpoch: row.leaderEpoch }
            : brokerError(errorCode, { api: listOffsetsApi.name, topic, partition }),
        );
      }),
  );
}

async function partitionsOf(cluster: Cluster, topic: string, options: AdminOptions): Promise<number[]> {
  const [described] = await describeTopics(cluster, [topic], options);
  return described!.partitions.map(({ index }) => index);
}

export async function deleteRecords(
  cluster: Cluster,
  deletions: readonly RecordDeletion[],
  options: AdminOptions,
): Promise<LowWatermark[]> {
  return settleAll<RecordDeletion, LowWatermark>(cluster, 'Deleting records', deletions, options, (attempt) =>
    onLeaders(cluster, attempt, async (nodeId, some) => {
      const { timeoutMs, signal } = attempt;
      const byTopic = new Map<string, { partitionIndex: number; offset: number }[]>();
      for (const { topic, partition, beforeOffset } of some) {
        const row = {
          partitionIndex: partition,
          offset: beforeOffset === 'latest' ? HIGH_WATERMARK : beforeOffset,
        };
        byTopic.set(topic, [...(byTopic.get(topic) ?? []), row]);
      }
      const topics = [...byTopic].map(([name, partitions]) => ({ name, partitions }));
      const response = await cluster.send(
        nodeId,
        deleteRecordsApi,
        { topics, timeoutMs },
        { timeoutMs, signal },
      );
      return answers(some, response.topics, ({ errorCode, lowWatermark }, { topic, partition }) =>
        errorCode === 0
          ? { topic, partition, lowWatermark }
          : brokerError(errorCode, { api: deleteRecordsApi.name, topic, partition }),
      );
    }),
  );
}
