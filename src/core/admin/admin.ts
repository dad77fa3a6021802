// What an operator does to a cluster. One file per kind of thing beside this one.

import type { Cluster } from '../cluster/cluster.ts';
import type { CommittedOffset } from '../cluster/committed-offsets.ts';
import type { TopicMetadata } from '../cluster/metadata.ts';
import type { Acl, AclDescription, AclFilter } from './acls.ts';
import { createAcls, deleteAcls, describeAcls } from './acls.ts';
import type {
  AlterConfigsOptions,
  ConfigAlteration,
  ConfigDescription,
  ConfigQuery,
  DescribeConfigsOptions,
} from './configs.ts';
import { alterConfigs, describeConfigs } from './configs.ts';
import type { CreatedTopic, CreateTopicsOptions, NewTopic } from './create-topics.ts';
import { createTopics } from './create-topics.ts';
import type { ClusterDescription, DescribeClusterOptions } from './describe-cluster.ts';
import { describeCluster } from './describe-cluster.ts';
import type { ElectionResult, ElectionType } from './elections.ts';
import { electLeaders } from './elections.ts';
import type { FencedProducer } from './fence-producers.ts';
import { fenceProducers } from './fence-producers.ts';
import type { FeatureDescription, FeatureUpdate, UpdateFeaturesOptions } from './features.ts';
import { describeFeatures, updateFeatures } from './features.ts';
import type { ConsumerGroupDescription, MemberToRemove, RemoveMembersOptions } from './group-members.ts';
import { describeConsumerGroups, removeMembers } from './group-members.ts';
import type { OffsetToSet, ResetOffsetsOptions } from './group-offsets.ts';
import { deleteOffsets, resetOffsets, setOffsets } from './group-offsets.ts';
import type { FetchOffsetsOptions, GroupDescription, GroupListing } from './groups.ts';
import { deleteGroups, describeGroups, fetchOffsets, listGroups } from './groups.ts';
import type { DescribeLogDirsOptions, LogDir, ReplicaMove } from './log-dirs.ts';
import { alterReplicaLogDirs, describeLogDirs } from './log-dirs.ts';
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
import type {
  AlterQuotasOptions,
  ClientQuota,
  DescribeQuotasOptions,
  QuotaAlteration,
  QuotaFilter,
} from './quotas.ts';
import { alterClientQuotas, describeClientQuotas } from './quotas.ts';
import type { QuorumDescription } from './quorum.ts';
import { describeQuorum } from './quorum.ts';
import type { OngoingReassignment, PartitionReassignment } from './reassignments.ts';
import { alterPartitionReassignments, listPartitionReassignments } from './reassignments.ts';
import type { TopicPartition } from './routing.ts';
import type { ScramAlteration, UserScramCredentials } from './scram-users.ts';
import { alterUserScramCredentials, describeUserScramCredentials } from './scram-users.ts';
import type { TopicListing } from './topics.ts';
import { deleteTopics, describeTopics, listTopics } from './topics.ts';
import type {
  HangingTransaction,
  ListTransactionsOptions,
  PartitionProducers,
  TransactionDescription,
  TransactionListing,
} from './transactions.ts';
import {
  abortTransaction,
  describeProducers,
  describeTransactions,
  listTransactions,
} from './transactions.ts';

/**
 * What an operator does to a cluster. Every call is repeated while repeating can help (a new controller, leader or coordinator, a lost
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
  /** Groups of the consumer protocol (KIP-848) with their members, in the order asked for; a classic one is GROUP_ID_NOT_FOUND. */
  describeConsumerGroups(
    groupIds: readonly string[],
    options: AdminOptions = {},
  ): Promise<ConsumerGroupDescription[]> {
    return describeConsumerGroups(this.cluster, groupIds, options);
  }

  /** Makes members of a classic group leave, all of them without a list; those that live join again. */
  removeMembers(
    groupId: string,
    members?: readonly MemberToRemove[],
    options: RemoveMembersOptions = {},
  ): Promise<void> {
    return removeMembers(this.cluster, groupId, members, options);
  }

  /** Commits offsets for a group without members. */
  setOffsets(groupId: string, offsets: readonly OffsetToSet[], options: AdminOptions = {}): Promise<void> {
    return setOffsets(this.cluster, groupId, offsets, options);
  }

  /** Sets what a group without members has committed for a topic to a place in the log; a time after the last record is its end. */
  resetOffsets(
    groupId: string,
    topic: string,
    to: OffsetPosition,
    options: ResetOffsetsOptions = {},
  ): Promise<OffsetToSet[]> {
    return resetOffsets(this.cluster, groupId, topic, to, options);
  }

  /** Deletes what a group has committed for partitions of topics that it does not read now. */
  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<void> {
    return deleteOffsets(this.cluster, groupId, partitions, options);
  }

  /** Its id, its controller and its brokers. */
  describeCluster(options: DescribeClusterOptions = {}): Promise<ClusterDescription> {
    return describeCluster(this.cluster, options);
  }

  /** The controllers' own log: who leads it, who votes, who follows, and how far each is. Kafka 3.0 and later. */
  describeQuorum(options: AdminOptions = {}): Promise<QuorumDescription> {
    return describeQuorum(this.cluster, options);
  }

  /** What is set of topics, brokers, loggers, groups and client metrics, in the order asked for. */
  describeConfigs(
    resources: readonly ConfigQuery[],
    options: DescribeConfigsOptions = {},
  ): Promise<ConfigDescription[]> {
    return describeConfigs(this.cluster, resources, options);
  }

  /** Changes single configurations and leaves the others as they are. */
  alterConfigs(resources: readonly ConfigAlteration[], options: AlterConfigsOptions = {}): Promise<void> {
    return alterConfigs(this.cluster, resources, options);
  }

  /** Starts to move partitions to other brokers, or cancels it; `listPartitionReassignments` says what is still going on. */
  alterPartitionReassignments(
    reassignments: readonly PartitionReassignment[],
    options: AdminOptions = {},
  ): Promise<void> {
    return alterPartitionReassignments(this.cluster, reassignments, options);
  }

  /** The reassignments that are going on, of all partitions without a list. */
  listPartitionReassignments(
    partitions?: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<OngoingReassignment[]> {
    return listPartitionReassignments(this.cluster, partitions, options);
  }

  /** Elects leaders, of all partitions without a list. */
  electLeaders(
    type: ElectionType,
    partitions?: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<ElectionResult[]> {
    return electLeaders(this.cluster, type, partitions, options);
  }

  /** Adds rules of access control; one that is there already stays. */
  createAcls(acls: readonly Acl[], options: AdminOptions = {}): Promise<void> {
    return createAcls(this.cluster, acls, options);
  }

  describeAcls(filter: AclFilter = {}, options: AdminOptions = {}): Promise<AclDescription[]> {
    return describeAcls(this.cluster, filter, options);
  }

  /** Deletes every rule that one of the filters matches; resolves with those that were deleted. */
  deleteAcls(filters: readonly AclFilter[], options: AdminOptions = {}): Promise<AclDescription[]> {
    return deleteAcls(this.cluster, filters, options);
  }

  /** Which users have SCRAM credentials, all of them without a list. */
  describeUserScramCredentials(
    users?: readonly string[],
    options: AdminOptions = {},
  ): Promise<UserScramCredentials[]> {
    return describeUserScramCredentials(this.cluster, users, options);
  }

  /** Sets and removes SCRAM credentials; passwords are salted here and never sent. */
  alterUserScramCredentials(
    alterations: readonly ScramAlteration[],
    options: AdminOptions = {},
  ): Promise<void> {
    return alterUserScramCredentials(this.cluster, alterations, options);
  }

  /** The quotas of the entities that match every filter; all quotas without one. */
  describeClientQuotas(
    filters: readonly QuotaFilter[] = [],
    options: DescribeQuotasOptions = {},
  ): Promise<ClientQuota[]> {
    return describeClientQuotas(this.cluster, filters, options);
  }

  alterClientQuotas(
    alterations: readonly QuotaAlteration[],
    options: AlterQuotasOptions = {},
  ): Promise<void> {
    return alterClientQuotas(this.cluster, alterations, options);
  }

  /** The directories of brokers and the replicas in them; sizes of volumes are exact. */
  describeLogDirs(options: DescribeLogDirsOptions = {}): Promise<LogDir[]> {
    return describeLogDirs(this.cluster, options);
  }

  /** Starts to move replicas to other directories of their brokers; `describeLogDirs` says how far it is. */
  alterReplicaLogDirs(moves: readonly ReplicaMove[], options: AdminOptions = {}): Promise<void> {
    return alterReplicaLogDirs(this.cluster, moves, options);
  }

  /** The features that brokers can do, and those in force. */
  describeFeatures(options: AdminOptions = {}): Promise<FeatureDescription> {
    return describeFeatures(this.cluster, options);
  }

  /** Puts features in force, or others out of it: all of these or none. */
  updateFeatures(updates: readonly FeatureUpdate[], options: UpdateFeaturesOptions = {}): Promise<void> {
    return updateFeatures(this.cluster, updates, options);
  }

  /** The transactional ids of all brokers, by id. */
  listTransactions(options: ListTransactionsOptions = {}): Promise<TransactionListing[]> {
    return listTransactions(this.cluster, options);
  }

  /** Transactional ids with what they have open, in the order asked for. */
  describeTransactions(
    transactionalIds: readonly string[],
    options: AdminOptions = {},
  ): Promise<TransactionDescription[]> {
    return describeTransactions(this.cluster, transactionalIds, options);
  }

  /** The producers that partitions remember, in the order asked for. */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<PartitionProducers[]> {
    return describeProducers(this.cluster, partitions, options);
  }

  /**
   * Shuts out whoever produces under these transactional ids, and aborts what they have open: every later call of theirs fails with a
   * TransactionFatalError. In the order asked for.
   */
  fenceProducers(transactionalIds: readonly string[], options: AdminOptions = {}): Promise<FencedProducer[]> {
    return fenceProducers(this.cluster, transactionalIds, options);
  }

  /** Ends a transaction that hangs: one that holds back a partition and that its coordinator does not know any more. */
  abortTransaction(transaction: HangingTransaction, options: AdminOptions = {}): Promise<void> {
    return abortTransaction(this.cluster, transaction, options);
  }
}
