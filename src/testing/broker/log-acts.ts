import { UsageError } from '../../errors.ts';
import { compactLog } from './log/compact-log.ts';
import type { ClusterState } from './state/cluster-state.ts';
import type { Partition } from './state/partition.ts';
import type { Topic } from './state/topic.ts';

export interface CrashOptions {
  /** So many records at the end of each partition that the node led had not reached its followers. Default 0. */
  readonly loseUnreplicated?: number | undefined;
  /** Also records that a producer with acks=all was told are there; default false. */
  readonly unclean?: boolean | undefined;
}

const DELETE_RETENTION_MS = 86_400_000;

/** Takes from the partitions that a node leads what is to be lost with it. */
export function loseUnreplicated(cluster: ClusterState, node: number, options: CrashOptions): void {
  const { loseUnreplicated: records = 0, unclean = false } = options;
  if (!(records >= 0)) throw new UsageError(`crash: cannot lose ${records} records`, 'loseUnreplicated');
  if (records === 0) return;
  for (const partition of cluster.topics.partitions()) {
    if (partition.leader === node) partition.loseTail(records, unclean);
  }
}

export function holdReplication(partition: Partition): () => void {
  partition.log.holdReplication();
  return () => partition.catchUp();
}

export function putOutOfSync(partition: Partition, node: number): () => void {
  if (!partition.replicas.includes(node) || partition.leader === node) {
    const place = `${partition.topic}-${partition.index}`;
    throw new UsageError(`putOutOfSync: node ${node} is no follower of ${place}`, 'node');
  }
  partition.laggards.add(node);
  partition.wake();
  return () => {
    partition.laggards.delete(node);
    partition.wake();
  };
}

/** Returns where the log begins now. */
export function deleteRecords(partition: Partition, before: number): number {
  const { log, topic, index } = partition;
  if (!Number.isInteger(before) || before < 0 || before > log.highWatermark) {
    throw new UsageError(
      `deleteRecords: ${before} is no offset of ${topic}-${index}, which is readable up to ${log.highWatermark}`,
      'before',
    );
  }
  log.deleteBefore(before);
  partition.wake();
  return log.startOffset;
}

export async function compactTopic(cluster: ClusterState, topic: Topic): Promise<void> {
  if (!topic.config.isCompacted) {
    throw new UsageError(
      `compact: the cleanup.policy of topic '${topic.name}' does not have 'compact'`,
      'topic',
    );
  }
  const retentionMs = Number(topic.config.entries.get('delete.retention.ms') ?? DELETE_RETENTION_MS);
  for (const { log } of topic.partitions) await compactLog(log, cluster.clock.wallNow(), retentionMs);
}
