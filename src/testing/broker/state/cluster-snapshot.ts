import { deserialize, serialize } from 'node:v8';
import { UsageError } from '../../../errors.ts';
import type { GroupSnapshot } from '../groups/group-snapshot.ts';
import type { TransactionSnapshot } from '../txn/transaction.ts';
import type { QuotaEntry } from './client-quotas.ts';
import type { ClusterState } from './cluster-state.ts';
import { snapshotTopic } from './topic-snapshot.ts';
import type { TopicSnapshot } from './topic-snapshot.ts';

const FORMAT = 'sluice broker';
const FORMAT_VERSION = 2;

/** What a cluster keeps when all of its nodes stop, as plain data. */
export interface ClusterSnapshot {
  readonly format: typeof FORMAT;
  readonly formatVersion: number;
  readonly clusterId: string;
  readonly nodeIds: readonly number[];
  readonly nextProducerId: number;
  readonly coordinatorSalt: number;
  readonly brokerConfigs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly groupConfigs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly quotas: readonly QuotaEntry[];
  readonly topics: readonly TopicSnapshot[];
  readonly transactions: readonly TransactionSnapshot[];
  readonly groups: readonly GroupSnapshot[];
}

/** Everything the cluster keeps, in one piece of bytes. Passwords are options and no part of it. */
export function snapshotCluster(cluster: ClusterState): Uint8Array {
  const snapshot: ClusterSnapshot = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    nodeIds: cluster.nodes.map(({ id }) => id),
    ...cluster.ids(),
    brokerConfigs: cluster.brokerConfigs,
    groupConfigs: cluster.groupConfigs.snapshot(),
    quotas: cluster.quotas.all(),
    topics: Array.from(cluster.topics.all(), snapshotTopic),
    transactions: cluster.transactions.snapshot(),
    groups: cluster.groups.snapshot(),
  };
  return serialize(snapshot);
}

/** @throws UsageError when the bytes are no snapshot of a box. */
export function readSnapshot(bytes: Uint8Array): ClusterSnapshot {
  let snapshot: Partial<ClusterSnapshot> | undefined;
  try {
    snapshot = deserialize(bytes) as Partial<ClusterSnapshot> | undefined;
  } catch {
    snapshot = undefined;
  }
  if (snapshot?.format !== FORMAT || snapshot.formatVersion !== FORMAT_VERSION) {
    throw new UsageError(
      'createBroker: `restore` wants the bytes of `box.snapshot()` of this version; these are not',
      'restore',
    );
  }
  return snapshot as ClusterSnapshot;
}

/** Makes a new cluster, of at least as many nodes, what it was. */
export function restoreCluster(cluster: ClusterState, snapshot: ClusterSnapshot): void {
  cluster.takeIds(snapshot);
  for (const [node, configs] of snapshot.brokerConfigs) cluster.brokerConfigs.set(node, configs);
  cluster.groupConfigs.restore(snapshot.groupConfigs);
  for (const { entity, values } of snapshot.quotas) cluster.quotas.put(entity, values);
  for (const topic of snapshot.topics) cluster.topics.restore(topic);
  cluster.electMissing();
  cluster.groups.restore(snapshot.groups);
  cluster.transactions.restore(snapshot.transactions);
}
