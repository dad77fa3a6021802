// Offsets by time, asked of each partition's leader.

import { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import { listOffsetsApi } from '../protocol/messages/02-list-offsets.ts';
import type { ResolveOptions } from './positions.ts';
import { NO_CREATION } from './defaults.ts';

/** Kafka's special timestamps. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;

/** An offset found by time; -1 when no record is that young. */
export interface ListedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
}

/** The first offset at or after `timestamp` for each of these partitions. Retries until `deadlineMs`, by default the cluster's. */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  options: ResolveOptions = {},
): Promise<Map<number, ListedOffset>> {
  const { signal } = options;
  const found = new Map<number, ListedOffset>();
  const what = `ListOffsets of ${topic}`;
  const deadlineMs = options.deadlineMs ?? cluster.retry.deadlineMs;
  await withRetry(cluster, what, { deadlineMs, signal }, async (n) => {
    const missing = partitions.filter((partition) => !found.has(partition));
    if (n > 1 || missing.some((partition) => cluster.metadata.leader(topic, partition) === undefined))
      await cluster.refresh([topic], signal, NO_CREATION);
    const byLeader = groupByLeader(cluster, topic, missing);
    const answers = await Promise.allSettled(
      [...byLeader].map(([nodeId, some]) =>
        askLeader(cluster, nodeId, topic, some, timestamp, options, found),
      ),
    );
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  });
  return found;
}

function groupByLeader(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const partition of partitions) {
    const leader = cluster.metadata.leader(topic, partition);
    if (leader === undefined) throw leaderless(cluster, topic, partition);
    const group = groups.get(leader.nodeId);
    if (group === undefined) groups.set(leader.nodeId, [partition]);
    else group.push(partition);
  }
  return groups;
}

function leaderless(cluster: Cluster, topic: string, partition: number): BrokerError {
  const known = cluster.metadata.topic(topic);
  if (known !== undefined && known.errorCode !== 0)
    return brokerError(known.errorCode, { api: 'Metadata', topic });
  const exists = known?.partitions.some(({ index }) => index === partition) === true;
  if (known !== undefined && !exists)
    return new BrokerError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `${topic} has ${known.partitions.length} partitions; there is no ${topic}-${partition}`,
      { retriable: true, api: 'Metadata', topic, partition },
    );
  return new BrokerError('LEADER_NOT_AVAILABLE', `${topic}-${partition} has no leader now`, {
    retriable: true,
    api: 'Metadata',
    topic,
    partition,
  });
}

async function askLeader(
  cluster: Cluster,
  nodeId: number,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  options: ResolveOptions,
  found: Map<number, ListedOffset>,
): Promise<void> {
  const response = await cluster.send(
    nodeId,
    listOffsetsApi,
    {
      replicaId: -1,
      isolationLevel: options.isolationLevel === 'read_committed' ? 1 : 0,
      topics: [
        {
          name: topic,
          partitions: partitions.map((partition) => ({
            partitionIndex: partition,
            currentLeaderEpoch: cluster.metadata.leader(topic, partition)?.leaderEpoch ?? -1,
            timestamp,
          })),
        },
      ],
      timeoutMs: cluster.requestTimeoutMs,
    },
    { signal: options.signal },
  );
  let failure: BrokerError | undefined;
  for (const { name, partitions: answers } of response.topics) {
    if (name !== topic) continue;
    for (const { partitionIndex, errorCode, offset, leaderEpoch } of answers) {
      if (errorCode === 0) found.set(partitionIndex, { offset, leaderEpoch });
      else failure ??= brokerError(errorCode, { api: 'ListOffsets', topic, partition: partitionIndex });
    }
  }
  if (failure !== undefined) throw failure;
  const absent = partitions.find((partition) => !found.has(partition));
  if (absent !== undefined)
    throw new BrokerError(
      'UNKNOWN_SERVER_ERROR',
      `ListOffsets: broker ${nodeId} left out ${topic}-${absent}`,
      {
        retriable: true,
        api: 'ListOffsets',
        topic,
        partition: absent,
      },
    );
}
