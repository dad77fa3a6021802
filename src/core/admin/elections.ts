// Elections of leaders.

import type { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { electLeadersApi } from '../protocol/messages/43-elect-leaders.ts';
import { codeOf } from './codes.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleOne } from './outcomes.ts';
import { byTopic } from './partition-rows.ts';
import type { TopicPartition } from './routing.ts';
import { controllerFor } from './routing.ts';

/** 'PREFERRED': the first replica, where it is in sync. 'UNCLEAN': any that is up where no replica in sync is; records may be lost. */
export type ElectionType = 'PREFERRED' | 'UNCLEAN';

/** What became of an election. */
export interface ElectionResult extends TopicPartition {
  /** False where the partition has the right leader already. */
  readonly elected: boolean;
}

const TYPES = { PREFERRED: 0, UNCLEAN: 1 } as const;

export async function electLeaders(
  cluster: Cluster,
  type: ElectionType,
  partitions: readonly TopicPartition[] | undefined,
  options: AdminOptions,
): Promise<ElectionResult[]> {
  const electionType = codeOf(TYPES, type, 'type');
  const api = electLeadersApi;
  return settleOne(cluster, 'Electing leaders', options, async (attempt) => {
    const { timeoutMs, signal } = attempt;
    const topicPartitions =
      partitions === undefined
        ? null
        : [...byTopic(partitions)].map(([topic, items]) => ({
            topic,
            partitions: items.map(({ partition }) => partition),
          }));
    const nodeId = await controllerFor(cluster, attempt);
    const response = await cluster.send(
      nodeId,
      api,
      (version) => ({ electionType: version < 1 ? 0 : electionType, topicPartitions, timeoutMs }),
      { timeoutMs, signal },
    );
    if (response.errorCode !== 0) throw brokerError(response.errorCode, { api: api.name });
    const errors: KafkaError[] = [];
    const results: ElectionResult[] = [];
    for (const { topic, partitionResult } of response.replicaElectionResults) {
      for (const { partitionId: partition, errorCode, errorMessage: detail } of partitionResult) {
        if (errorCode === 0 || errorCode === ERRORS.ELECTION_NOT_NEEDED)
          results.push({ topic, partition, elected: errorCode === 0 });
        else errors.push(brokerError(errorCode, { api: api.name, topic, partition, detail }));
      }
    }
    if (errors.length > 1) throw new AggregateError(errors, errors.map(({ message }) => message).join('; '));
    if (errors.length === 1) throw errors[0]!;
    return results;
  });
}
