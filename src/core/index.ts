// `sluice/core`: the client without RxJS. Promises for control, a callback fast path for records.

export type { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from './admin/acl-names.ts';
export type { Acl, AclDescription, AclFilter } from './admin/acls.ts';
export { Admin } from './admin/admin.ts';
export type {
  AlterConfigsOptions,
  ConfigAlteration,
  ConfigChange,
  ConfigDescription,
  ConfigEntry,
  ConfigQuery,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  DescribeConfigsOptions,
} from './admin/configs.ts';
export type { CreatedTopic, CreateTopicsOptions, NewTopic } from './admin/create-topics.ts';
export type {
  BrokerDescription,
  ClusterDescription,
  DescribeClusterOptions,
} from './admin/describe-cluster.ts';
export type { ElectionResult, ElectionType } from './admin/elections.ts';
export type {
  FeatureDescription,
  FeatureLevels,
  FeatureUpdate,
  UpdateFeaturesOptions,
} from './admin/features.ts';
export type {
  ConsumerGroupDescription,
  ConsumerGroupMember,
  MemberAssignment,
  MemberToRemove,
  RemoveMembersOptions,
} from './admin/group-members.ts';
export type { OffsetToSet, ResetOffsetsOptions } from './admin/group-offsets.ts';
export type { FetchOffsetsOptions, GroupDescription, GroupListing, GroupMember } from './admin/groups.ts';
export type { DescribeLogDirsOptions, LogDir, LogDirReplica, ReplicaMove } from './admin/log-dirs.ts';
export type {
  ListOffsetsOptions,
  LowWatermark,
  OffsetPosition,
  PartitionOffset,
  RecordDeletion,
} from './admin/offsets.ts';
export type { AdminOptions } from './admin/outcomes.ts';
export type { PartitionGrowth } from './admin/partitions.ts';
export type {
  AlterQuotasOptions,
  ClientQuota,
  DescribeQuotasOptions,
  QuotaAlteration,
  QuotaEntity,
  QuotaEntityType,
  QuotaFilter,
} from './admin/quotas.ts';
export type { FencedProducer } from './admin/fence-producers.ts';
export type { QuorumDescription, QuorumNode, QuorumReplica } from './admin/quorum.ts';
export type { OngoingReassignment, PartitionReassignment } from './admin/reassignments.ts';
export type { TopicPartition } from './admin/routing.ts';
export type { ScramAlteration, ScramMechanism, UserScramCredentials } from './admin/scram-users.ts';
export type { TopicListing } from './admin/topics.ts';
export type {
  HangingTransaction,
  ListTransactionsOptions,
  PartitionProducers,
  ProducerState,
  TransactionDescription,
  TransactionListing,
} from './admin/transactions.ts';
export { Kafka } from './client.ts';
export type { Runtime } from './client.ts';
export type { Clock, Random, Timer } from './clock.ts';
export { systemClock, systemRandom } from './clock.ts';
export type {
  Cluster,
  CoordinatorKind,
  RefreshOptions,
  RetryDefaults,
  SendOptions,
  Use,
} from './cluster/cluster.ts';
export type { CommittedOffset } from './cluster/committed-offsets.ts';
export type {
  LeaderHint,
  LeaderInfo,
  MetadataCache,
  PartitionMetadata,
  TopicMetadata,
} from './cluster/metadata.ts';
export type { RetryContext, RetryOptions } from './cluster/retry.ts';
export { brokerError, withRetry } from './cluster/retry.ts';
export type { RecordInterceptor } from './consumer/intercepted-listener.ts';
export { listPartitions, listTopics } from './consumer/listing.ts';
export { openPartitions } from './consumer/open-partitions.ts';
export type { OpenOptions, OpenPartitions } from './consumer/open-partitions.ts';
export type {
  FetcherOptions,
  FetchTrouble,
  IsolationLevel,
  OutOfRange,
  Position,
  ReaderOptions,
  StartPosition,
} from './consumer/options.ts';
export { PartitionReader } from './consumer/partition-reader.ts';
export type { CommitPoint, ReaderListener } from './consumer/partition-reader.ts';
export type { OpenReaders, OpenReadersFunction, RecordReader } from './consumer/record-reader.ts';
export { onEvent, type SluiceEvents } from './events/channels.ts';
export type {
  Assignment,
  Assignor,
  LastAssignment,
  MemberSubscription,
  PartitionRacks,
  RebalanceProtocol,
} from './group/assignors/assignor.ts';
export { cooperativeStickyAssignor } from './group/assignors/cooperative-sticky.ts';
export type { AssignorName } from './group/assignors/named.ts';
export { rangeAssignor } from './group/assignors/range.ts';
export { roundRobinAssignor } from './group/assignors/round-robin.ts';
export { stickyAssignor } from './group/assignors/sticky.ts';
export type { ClaimListener, GroupClaim } from './group/claim.ts';
export { GroupConsumer } from './group/group-consumer.ts';
export type {
  BlockedEvent,
  DrainSummary,
  GroupListener,
  PartitionSummary,
  RebalanceEvent,
} from './group/listener.ts';
export type { GroupConsumerOptions } from './group/options.ts';
export type { OpenGroupFunction, RecordGroup } from './group/record-group.ts';
export type { Committer, CommitOptions, Generation, OffsetPoint } from './group/committer.ts';
export type { ManagedPartition, MarkedRecord } from './offsets/managed-partition.ts';
export { OffsetManager } from './offsets/offset-manager.ts';
export { OffsetStash, type StashedOffset } from './offsets/offset-stash.ts';
export type { CommittingMember, OffsetManagerOptions } from './offsets/options.ts';
export type { Dns } from './network/dns.ts';
export type { SocketFactory, SocketRequest } from './network/socket-transport.ts';
export type { BrokerAddress, Intake, Transport, Wire, WireEvents } from './network/transport.ts';
export { tcpTransport } from './network/transport.ts';
export type { ClientDnsLookup, KafkaOptions, RetryInit } from './options.ts';
export type { SaslBroker, SaslExchange } from './security/sasl-exchange.ts';
export type {
  CustomSaslOptions,
  OAuthBearerSaslOptions,
  OAuthBearerToken,
  PasswordSaslOptions,
  SaslCredentials,
  SaslOptions,
  SaslProvider,
} from './security/sasl-options.ts';
export type { TlsInit, TlsOptions } from './security/tls-options.ts';
export type { ProducerInterceptor } from './producer/interceptor.ts';
export type { ProducerOptions } from './producer/options.ts';
export type { Partitioner, PartitionerName, WritablePartitioner } from './producer/partitioner.ts';
export { Producer } from './producer/producer.ts';
export type { Receipt, Sent } from './producer/receipt.ts';
export type { RecordProducer } from './producer/record-producer.ts';
export type { GroupMetadata, TransactionOffset } from './transactions/group-metadata.ts';
export type { TransactionStatus } from './transactions/status.ts';
export { TransactionalProducer } from './transactions/transactional-producer.ts';
export type {
  TransactionHooks,
  TransactionalProducerOptions,
} from './transactions/transactional-producer.ts';
export { FetchedRecord } from './records/fetched-record.ts';
export type { OpenedPartitions, StreamClient } from './stream-client.ts';
export type { Bytes, ConsumerRecord, HeadersInit, ProducerRecord, RecordHeaders } from './records/types.ts';
export {
  AuthenticationError,
  BrokerError,
  ClaimLostError,
  CompressionError,
  ConnectionError,
  CorruptRecordError,
  KafkaError,
  OffsetCommitError,
  OffsetRangeError,
  OutcomeUnknownError,
  ProtocolError,
  SendBatchError,
  TimeoutError,
  TransactionAbortableError,
  TransactionFatalError,
  UnsupportedVersionError,
  UsageError,
} from '../errors.ts';
