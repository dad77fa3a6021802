// What is known of topics, partitions and their leaders.

/** The broker that leads a partition, and the epoch of its leadership (-1 when the broker does not say). */
export interface LeaderInfo {
  readonly nodeId: number;
  readonly leaderEpoch: number;
}

/** One partition as the cluster described it. */
export interface PartitionMetadata {
  readonly index: number;
  readonly errorCode: number;
  /** Undefined while the partition has no leader. */
  readonly leader: LeaderInfo | undefined;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** One topic as the cluster described it. */
export interface TopicMetadata {
  readonly name: string;
  /** Kafka's topic id; `ZERO_UUID` from brokers that have none. */
  readonly id: string;
  /** 0, or Kafka's code for why the rest is empty (`UNKNOWN_TOPIC_OR_PARTITION`, ...). */
  readonly errorCode: number;
  /** True for Kafka's own topics (`__consumer_offsets`, ...). */
  readonly isInternal: boolean;
  /** Sorted by index. */
  readonly partitions: readonly PartitionMetadata[];
}

/** A leader learned from an answer (KIP-951) rather than from a refresh. */
export interface LeaderHint extends LeaderInfo {
  readonly host?: string;
  readonly port?: number;
}

/** The cached view; everything here is synchronous and never asks a broker. */
export interface MetadataCache {
  /** The topic, also when the cluster answered with an error for it; undefined when it was never asked for. */
  topic(name: string): TopicMetadata | undefined;
  /** The topic that has this id now; undefined once a topic of the same name took its place. */
  topicById(id: string): TopicMetadata | undefined;
  topics(): Iterable<TopicMetadata>;
  /** Undefined when unknown or leaderless: refresh and ask again. */
  leader(topic: string, partition: number): LeaderInfo | undefined;
  /** The broker's `broker.rack`; undefined when it has none or is not known. */
  rack(nodeId: number): string | undefined;
  /** Calls `listener` after each change of topics, leaders or brokers; returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
  /** Takes a hint unless a newer epoch is known already. */
  updateLeader(topic: string, partition: number, leader: LeaderHint): void;
}
