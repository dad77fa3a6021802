// Partitions: add them to topics.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { createPartitionsApi } from '../protocol/messages/37-create-partitions.ts';
import { atLeastOne, list, named, nonEmpty } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { controllerFor, final } from './routing.ts';

/** How many partitions a topic is to have. */
export interface PartitionGrowth {
  readonly topic: string;
  /** The count afterwards, not the increase. */
  readonly count: number;
}

/** Adds partitions to topics through the controller. Records with keys go to other partitions from then on. */
export async function createPartitions(
  cluster: Cluster,
  growth: readonly PartitionGrowth[],
  options: AdminOptions,
): Promise<void> {
  list(growth, 'growth');
  growth.forEach(({ topic, count }, at) => {
    nonEmpty(topic, `growth[${at}].topic`);
    atLeastOne(count, `growth[${at}].count`);
  });
  await settleAll<PartitionGrowth, object>(
    cluster,
    named(
      'Adding partitions to',
      growth.map(({ topic }) => topic),
    ),
    growth,
    options,
    async (attempt) => {
      const nodeId = await controllerFor(cluster, attempt);
      const { pending, timeoutMs, signal } = attempt;
      const topics = pending.map(({ topic, count }) => ({ name: topic, count, assignments: null }));
      const request = { topics, timeoutMs, validateOnly: false };
      const { results } = await cluster.send(nodeId, createPartitionsApi, request, { timeoutMs, signal });
      const outcomes = new Map<PartitionGrowth, object>();
      for (const item of pending) {
        const row = results.find(({ name }) => name === item.topic);
        if (row === undefined) continue;
        const { errorCode, errorMessage: detail } = row;
        const error = brokerError(errorCode, { api: createPartitionsApi.name, topic: item.topic, detail });
        if (errorCode === 0) outcomes.set(item, {});
        else outcomes.set(item, errorCode === ERRORS.UNKNOWN_TOPIC_OR_PARTITION ? final(error) : error);
      }
      return outcomes;
    },
  );
}
