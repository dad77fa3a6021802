import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { NO_LEADER } from '../state/partition.ts';
import type { Partition } from '../state/partition.ts';

/** Who leads a partition and who follows, as Metadata and DescribeTopicPartitions say it. */
export interface PartitionState {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export function partitionState(partition: Partition, cluster: ClusterState): PartitionState {
  const isUp = (id: number): boolean => cluster.node(id)?.isUp === true;
  return {
    errorCode: partition.leader === NO_LEADER ? ERRORS.LEADER_NOT_AVAILABLE : ERRORS.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: cluster.inSyncReplicas(partition),
    offlineReplicas: partition.replicas.filter((id) => !isUp(id)),
  };
}

/** The bits of everything that may be done where nobody checks: a cluster's and a topic's. */
export const ALL_CLUSTER_OPERATIONS = 8096;
export const ALL_TOPIC_OPERATIONS = 3576;
