// Other replicas for partitions.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { alterPartitionReassignmentsApi } from '../protocol/messages/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../protocol/messages/46-list-partition-reassignments.ts';
import { list } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll, settleOne } from './outcomes.ts';
import { answers, byTopic } from './partition-rows.ts';
import type { TopicPartition } from './routing.ts';
import { controllerFor } from './routing.ts';

/** The brokers that are to hold a partition, the preferred leader first; null cancels a reassignment that is going on. */
export interface PartitionReassignment extends TopicPartition {
  readonly replicas: readonly number[] | null;
}

/** A reassignment that is going on. */
export interface OngoingReassignment extends TopicPartition {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

export async function alterPartitionReassignments(
  cluster: Cluster,
  reassignments: readonly PartitionReassignment[],
  options: AdminOptions,
): Promise<void> {
  list(reassignments, 'reassignments');
  const api = alterPartitionReassignmentsApi;
  await settleAll<PartitionReassignment, object>(
    cluster,
    'Reassigning partitions',
    reassignments,
    options,
    async (attempt) => {
      const { pending, timeoutMs, signal } = attempt;
      const topics = [...byTopic(pending)].map(([name, items]) => ({
        name,
        partitions: items.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
      }));
      const nodeId = await controllerFor(cluster, attempt);
      const response = await cluster.send(nodeId, api, { timeoutMs, topics }, { timeoutMs, signal });
      const { errorCode, errorMessage } = response;
      if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail: errorMessage });
      return answers(pending, response.responses, (row, { topic, partition }) =>
        row.errorCode === 0
          ? {}
          : brokerError(row.errorCode, { api: api.name, topic, partition, detail: row.errorMessage }),
      );
    },
  );
}

export async function listPartitionReassignments(
  cluster: Cluster,
  partitions: readonly TopicPartition[] | undefined,
  options: AdminOptions,
): Promise<OngoingReassignment[]> {
  const api = listPartitionReassignmentsApi;
  return settleOne(cluster, 'Listing reassignments', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const topics =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([name, items]) => ({
            name,
            partitionIndexes: items.map(({ partition }) => partition),
          }));
    const nodeId = await controllerFor(cluster, attempt);
    const response = await cluster.send(nodeId, api, { timeoutMs, topics }, { timeoutMs, signal });
    const { errorCode, errorMessage } = response;
    if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail: errorMessage });
    return response.topics.flatMap(({ name: topic, partitions: rows }) =>
      rows.map(({ partitionIndex: partition, ...rest }) => ({ topic, partition, ...rest })),
    );
  });
}
