// What an operator does to a cluster. One file per kind of thing beside this one.

import type { Cluster } from '../cluster/cluster.ts';
import type { TopicMetadata } from '../cluster/metadata.ts';
import type { CreatedTopic, CreateTopicsOptions, NewTopic } from './create-topics.ts';
import { createTopics } from './create-topics.ts';
import type { CommittedOffset, FetchOffsetsOptions, GroupDescription, GroupListing } from './groups.ts';
import { deleteGroups, describeGroups, fetchOffsets, listGroups } from './groups.ts';
import type {
  ListOffsetsOptions,
  LowWatermark,
  OffsetPosition,
  PartitionOffset,
  RecordDeletion,
} from './offsets.ts';
import { deleteRecords, listOffsets } from './offsets.ts';
import type { AdminOptions } from './outcomes.ts';
import type { PartitionGrowth } from './partitions.ts';
import { createPartitions } from './partitions.ts';
import type { TopicListing } from './topics.ts';
import { deleteTopics, describeTopics, listTopics } from './topics.ts';

/**
 * Topics, offsets and groups of a cluster. Every call is repeated while repeating can help (a new controller, leader or coordinator, a lost
 * connection) until its deadline, then rejects with TimeoutError; what is wrong for good rejects with BrokerError, several in an AggregateError
 * (what of the call succeeded, stays done). Holds nothing open of its own.
 */
export class Admin {
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Creates topics and, by default, waits until they can be written to. */
  createTopics(topics: readonly NewTopic[], options: CreateTopicsOptions = {}): Promise<CreatedTopic[]> {
    return createTopics(this.cluster, topics, options);
  }

  deleteTopics(names: readonly string[], options: AdminOptions = {}): Promise<void> {
    return deleteTopics(this.cluster, names, options);
  }

  /** Topics with their partitions, in the order asked for. */
  describeTopics(names: readonly string[], options: AdminOptions = {}): Promise<TopicMetadata[]> {
    return describeTopics(this.cluster, names, options);
  }

  /** Every topic of the cluster, Kafka's own included, by name. */
  listTopics(options: AdminOptions = {}): Promise<TopicListing[]> {
    return listTopics(this.cluster, options);
  }

  /** The total of partitions each topic is to have; records with keys go to other partitions from then on. */
  createPartitions(growth: readonly PartitionGrowth[], options: AdminOptions = {}): Promise<void> {
    return createPartitions(this.cluster, growth, options);
  }

  /** One offset per partition of a topic. */
  listOffsets(
    topic: string,
    at: OffsetPosition,
    options: ListOffsetsOptions = {},
  ): Promise<PartitionOffset[]> {
    return listOffsets(this.cluster, topic, at, options);
  }

  /** Deletes the records below an offset, for good. */
  deleteRecords(deletions: readonly RecordDeletion[], options: AdminOptions = {}): Promise<LowWatermark[]> {
    return deleteRecords(this.cluster, deletions, options);
  }

  /** What a group has committed; empty for a group that does not exist. */
  fetchOffsets(groupId: string, options: FetchOffsetsOptions = {}): Promise<CommittedOffset[]> {
    return fetchOffsets(this.cluster, groupId, options);
  }

  /** The groups of all brokers, by id. */
  listGroups(options: AdminOptions = {}): Promise<GroupListing[]> {
    return listGroups(this.cluster, options);
  }

  /** Classic groups with their members, in the order asked for. */
  describeGroups(groupIds: readonly string[], options: AdminOptions = {}): Promise<GroupDescription[]> {
    return describeGroups(this.cluster, groupIds, options);
  }

  /** Deletes groups without members, and their commits with them. */
  deleteGroups(groupIds: readonly string[], options: AdminOptions = {}): Promise<void> {
    return deleteGroups(this.cluster, groupIds, options);
  }
}
