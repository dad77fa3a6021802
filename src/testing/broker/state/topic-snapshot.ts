import type { LogSnapshot } from '../log/partition-log.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './topic.ts';

interface PartitionSnapshot {
  readonly replicas: readonly number[];
  readonly laggards: readonly number[];
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isHeldLeaderless: boolean;
  readonly acknowledgedByAll: number;
  readonly log: LogSnapshot;
}

/** A topic with its records, as plain data. */
export interface TopicSnapshot {
  readonly name: string;
  readonly id: string;
  readonly isHidden: boolean;
  readonly configs: ReadonlyMap<string, string>;
  readonly partitions: readonly PartitionSnapshot[];
}

export function snapshotTopic(topic: Topic): TopicSnapshot {
  return {
    name: topic.name,
    id: topic.id,
    isHidden: topic.isHidden,
    configs: topic.config.entries,
    partitions: topic.partitions.map((partition) => ({
      replicas: partition.replicas,
      laggards: [...partition.laggards],
      leader: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      isHeldLeaderless: partition.isHeldLeaderless,
      acknowledgedByAll: partition.acknowledgedByAll,
      log: partition.log.snapshot(),
    })),
  };
}

/** Makes a new partition what it was; its leader leads again under a new epoch, as after a restart. */
export function restorePartition(partition: Partition, from: PartitionSnapshot): void {
  partition.log.restore(from.log);
  for (const id of from.laggards) partition.laggards.add(id);
  partition.leaderEpoch = from.leaderEpoch;
  partition.isHeldLeaderless = from.isHeldLeaderless;
  partition.acknowledgedByAll = from.acknowledgedByAll;
  partition.elect(from.leader);
}
