// What the sources and sinks of a topology need of a client, so that one can run over another client than ours.

import type { Clock } from './clock.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { OpenOptions } from './consumer/open-partitions.ts';
import type { GroupListener } from './group/listener.ts';
import type { GroupConsumerOptions } from './group/options.ts';
import type { ClaimedReader } from './group/partition-claim.ts';
import type { RecordGroup } from './group/record-group.ts';
import type { ProducerOptions } from './producer/options.ts';
import type { RecordProducer } from './producer/record-producer.ts';

/** Partitions being read without a group: positions found, not started. */
export interface OpenedPartitions {
  readonly readers: readonly ClaimedReader[];
  close(): void;
}

/** A client as a topology sees it. `Kafka` is one; `kafkajs(...)` of `sluice/kafkajs` makes one of a kafkajs client. */
export interface StreamClient {
  readonly clock: Clock;
  /** Undefined where the connections are another library's: transactions are not possible then. */
  readonly cluster?: Cluster | undefined;
  /** A member of a group, not started. Throws UsageError for an option that cannot be. */
  openGroup(options: GroupConsumerOptions, listener: GroupListener): RecordGroup;
  /** Readers of partitions without a group. Rejects with coded errors. */
  openPartitions(options: OpenOptions): Promise<OpenedPartitions>;
  /** A producer of its own. Throws UsageError for an option that cannot be. */
  producer(options?: ProducerOptions): RecordProducer;
  /** Runs `hook` before the connections close. */
  beforeClose(hook: () => Promise<void>): void;
}
