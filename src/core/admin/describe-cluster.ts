// The cluster itself: its id, its controller, its brokers.

import { UnsupportedVersionError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import { describeClusterApi } from '../protocol/messages/60-describe-cluster.ts';
import type { AdminOptions, Attempt } from './outcomes.ts';
import { settleOne } from './outcomes.ts';

/** A broker of the cluster. */
export interface BrokerDescription {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  /** Registered and not in use. */
  readonly isFenced: boolean;
}

/** The cluster. */
export interface ClusterDescription {
  readonly clusterId: string;
  /** The broker to ask for what only the controller does; null while there is none. */
  readonly controller: number | null;
  readonly brokers: readonly BrokerDescription[];
}

/** What `describeCluster` names. */
export interface DescribeClusterOptions extends AdminOptions {
  /** Brokers too that are registered and not up; default false. Kafka 4.0 and later. */
  readonly includeFencedBrokers?: boolean | undefined;
}

const FENCED_FROM = 2;

export async function describeCluster(
  cluster: Cluster,
  options: DescribeClusterOptions,
): Promise<ClusterDescription> {
  return settleOne(cluster, 'Describing the cluster', options, async (attempt) => {
    try {
      return await ask(cluster, attempt, options.includeFencedBrokers === true);
    } catch (error) {
      // Brokers before 2.8 say it in their metadata.
      if (error instanceof UnsupportedVersionError) return askMetadata(cluster, attempt);
      throw error;
    }
  });
}

async function ask(
  cluster: Cluster,
  { timeoutMs, signal }: Attempt<string>,
  includeFencedBrokers: boolean,
): Promise<ClusterDescription> {
  const api = describeClusterApi;
  const response = await cluster.send(
    await cluster.anyNode(),
    api,
    (version) => ({
      includeClusterAuthorizedOperations: false,
      ...(version >= FENCED_FROM && { includeFencedBrokers }),
    }),
    { timeoutMs, signal },
  );
  const { errorCode, errorMessage: detail, clusterId, controllerId, brokers } = response;
  if (errorCode !== 0) throw brokerError(errorCode, { api: api.name, detail });
  return {
    clusterId,
    controller: controllerId < 0 ? null : controllerId,
    brokers: brokers.map(({ brokerId: nodeId, ...rest }) => ({ nodeId, ...rest })).sort(byId),
  };
}

async function askMetadata(
  cluster: Cluster,
  { timeoutMs, signal }: Attempt<string>,
): Promise<ClusterDescription> {
  const request = { topics: [], allowAutoTopicCreation: false };
  const node = await cluster.anyNode();
  const { clusterId, controllerId, brokers } = await cluster.send(node, metadataApi, request, {
    timeoutMs,
    signal,
  });
  return {
    clusterId: clusterId ?? '',
    controller: controllerId < 0 ? null : controllerId,
    brokers: brokers
      .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack, isFenced: false }))
      .sort(byId),
  };
}

function byId(a: BrokerDescription, b: BrokerDescription): number {
  return a.nodeId - b.nodeId;
}
