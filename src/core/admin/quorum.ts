// The controllers' own log: who leads it, who votes, who follows (KIP-595, KIP-836, KIP-853).

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { describeQuorumApi } from '../protocol/messages/55-describe-quorum.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleOne } from './outcomes.ts';

/** One that has the controllers' log. */
export interface QuorumReplica {
  readonly nodeId: number;
  /** Of the volume that the log is on; undefined where the cluster does not say: before Kafka 3.9, and of voters that are named by `controller.quorum.voters`. */
  readonly directoryId: string | undefined;
  /** The offset after its last record; -1 when it is not known. */
  readonly logEndOffset: number;
  /** When it last fetched, and up to when it has everything: milliseconds since 1970, undefined when that is not known (before Kafka 3.3). */
  readonly lastFetchedAt: number | undefined;
  readonly lastCaughtUpAt: number | undefined;
}

/** A controller, and where it listens. */
export interface QuorumNode {
  readonly nodeId: number;
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
}

/** The controllers' log as its leader sees it. */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  /** Brokers, and controllers that do not vote. */
  readonly observers: readonly QuorumReplica[];
  /** Empty before Kafka 3.9. */
  readonly nodes: readonly QuorumNode[];
}

type Partition = ResponseOf<typeof describeQuorumApi>['topics'][number]['partitions'][number];

const LOG = '__cluster_metadata';

export async function describeQuorum(cluster: Cluster, options: AdminOptions): Promise<QuorumDescription> {
  const api = describeQuorumApi;
  return settleOne(
    cluster,
    'Describing the quorum of controllers',
    options,
    async ({ timeoutMs, signal }) => {
      const request = { topics: [{ topicName: LOG, partitions: [{ partitionIndex: 0 }] }] };
      // Any broker passes it on to the controller that leads.
      const node = await cluster.anyNode();
      const { errorCode, errorMessage, topics, nodes } = await cluster.send(node, api, request, {
        timeoutMs,
        signal,
      });
      if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail: errorMessage });
      const partition = topics[0]?.partitions[0];
      if (partition === undefined)
        throw brokerError(-1, { api: api.name, detail: 'the answer names no log' });
      if (partition.errorCode !== 0)
        throw brokerError(partition.errorCode, { api: api.name, detail: partition.errorMessage });
      return described(partition, nodes);
    },
  );
}

function described(
  { leaderId, leaderEpoch, highWatermark, currentVoters, observers }: Partition,
  nodes: readonly QuorumNode[],
): QuorumDescription {
  return {
    leaderId,
    leaderEpoch,
    highWatermark,
    voters: currentVoters.map(replica),
    observers: observers.map(replica),
    nodes,
  };
}

function replica(row: Partition['observers'][number]): QuorumReplica {
  const { replicaId, replicaDirectoryId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp } = row;
  return {
    nodeId: replicaId,
    directoryId: replicaDirectoryId === ZERO_UUID ? undefined : replicaDirectoryId,
    logEndOffset,
    lastFetchedAt: timeOf(lastFetchTimestamp),
    lastCaughtUpAt: timeOf(lastCaughtUpTimestamp),
  };
}

function timeOf(timestamp: number): number | undefined {
  return timestamp < 0 ? undefined : timestamp;
}
