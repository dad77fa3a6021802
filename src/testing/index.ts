// Entry point `sluice/testing`: marbles for flows, the broker in the box, simulated time.
export { createBroker } from './broker/create-broker.ts';
export type { CrashOptions } from './broker/log-acts.ts';
export type { BrokerBox } from './broker/broker-box.ts';
export type { AppendEvent, ClusterEvent, CommitEvent } from './broker/cluster-event.ts';
export type { BrokerOptions, GroupTimings, TopicOptions, VersionLimits } from './broker/options.ts';
export { fault } from './broker/faults/fault.ts';
export type { Fault, FaultMatch, FaultOptions, ObservedRequest } from './broker/faults/fault-rule.ts';
export type { DumpedGroup, DumpedPartition, DumpedRecord, DumpedTransaction } from './broker/inspect.ts';
export type { SaslMechanism, BrokerSaslOptions, TokenClaims } from './broker/security/sasl-options.ts';
export type { TlsServerOptions } from './broker/security/tls-options.ts';
export type { LoggedRequest } from './broker/request-log.ts';
export { MemoryNetwork } from './simulation/memory-network.ts';
export { seededRandom } from './simulation/seeded-random.ts';
export { VirtualClock } from './simulation/virtual-clock.ts';
export { testFlow } from './marbles.ts';
export type { FlowTest, SettlementMarbles } from './marbles-types.ts';
export { record, type RecordFields } from './marbles-record.ts';
export { MockConsumer } from './doubles/mock-consumer.ts';
export { MockGroup, type MockClaimStart } from './doubles/mock-group.ts';
export type { MockPartition } from './doubles/mock-partition.ts';
export { MockProducer, type MockProducerOptions } from './doubles/mock-producer.ts';
export type { YieldedRecord } from './doubles/mock-records.ts';
export type { MockSend, SendCheck, SendMatch } from './doubles/send-expectation.ts';
export { testTopology } from './topology/test-topology.ts';
export type {
  DeadLetterRecord,
  PipedRecord,
  RecordFrom,
  RecordInto,
  TestFormat,
  TestMember,
  TestProblem,
  TestTopic,
  TestTopics,
  TestTopology,
  TestTopologyOptions,
  TopicName,
  TopicPartition,
} from './topology/types.ts';
