// Where a leader epoch ended, asked of the partition's leader (KIP-320).

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { offsetForLeaderEpochApi } from '../protocol/messages/23-offset-for-leader-epoch.ts';
import { NO_CREATION } from './defaults.ts';

/** The largest epoch up to the one asked for that the leader's log has, and the offset after its last record. */
export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

/** Undefined when the leader knows nothing of an epoch that old. Retries until the cluster's deadline. */
export async function epochEnd(
  cluster: Cluster,
  topic: string,
  partition: number,
  leaderEpoch: number,
  signal: AbortSignal,
): Promise<EpochEnd | undefined> {
  const what = `OffsetForLeaderEpoch of ${topic}-${partition}`;
  return withRetry(cluster, what, { deadlineMs: cluster.retry.deadlineMs, signal }, async (n) => {
    if (n > 1) await cluster.refresh([topic], signal, NO_CREATION);
    const leader = cluster.metadata.leader(topic, partition);
    if (leader === undefined)
      throw brokerError(ERRORS.LEADER_NOT_AVAILABLE, { api: 'Metadata', topic, partition });
    const response = await cluster.send(
      leader.nodeId,
      offsetForLeaderEpochApi,
      {
        replicaId: -1,
        topics: [{ topic, partitions: [{ partition, currentLeaderEpoch: leader.leaderEpoch, leaderEpoch }] }],
      },
      { signal },
    );
    const answer = response.topics
      .find((one) => one.topic === topic)
      ?.partitions.find((one) => one.partition === partition);
    const errorCode = answer?.errorCode ?? ERRORS.UNKNOWN_SERVER_ERROR;
    if (answer === undefined || errorCode !== 0)
      throw brokerError(errorCode, { api: 'OffsetForLeaderEpoch', topic, partition });
    return answer.endOffset < 0
      ? undefined
      : { leaderEpoch: answer.leaderEpoch, endOffset: answer.endOffset };
  });
}
