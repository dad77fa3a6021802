export { Kafka, type Runtime } from './core/client.ts';
export type { KafkaOptions } from './core/options.ts';
export { onEvent, type SluiceEvents } from './core/events/channels.ts';
export type { SaslOptions } from './core/security/sasl-options.ts';
export type { TlsInit, TlsOptions } from './core/security/tls-options.ts';
export type { Position } from './core/consumer/options.ts';
export type {
  Bytes,
  ConsumerRecord,
  HeadersInit,
  ProducerRecord,
  RecordHeaders,
} from './core/records/types.ts';
export {
  AuthenticationError,
  BrokerError,
  CircuitOpenError,
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
  StageTimeoutError,
  TimeoutError,
  TransactionAbortableError,
  TransactionFatalError,
  UnsupportedVersionError,
  UsageError,
} from './errors.ts';
export { Claim } from './flow/claim.ts';
export { Claims, type Rebalance } from './flow/claims.ts';
export type { Delivery, Fork } from './flow/delivery.ts';
export { failureOf, originalHeaders, type Failure, type FailureHeaders } from './flow/failure-headers.ts';
export { Flow } from './flow/flow.ts';
export { isKafkaError, type SluiceError } from './flow/is-kafka-error.ts';
export * from './operators/index.ts';
export type { FlowEnd, Op } from './flow/op.ts';
export type { Origin } from './flow/origin.ts';
export { Settled } from './flow/settled.ts';
export { StageError } from './flow/stage-error.ts';
export { bytes } from './serdes/bytes.ts';
export { json, SchemaError, uncheckedJson } from './serdes/json.ts';
export { nullable } from './serdes/nullable.ts';
export type { Deserializer, Serde, SerdeContext, Serializer } from './serdes/serde.ts';
export { text } from './serdes/text.ts';
export { copy } from './sources/copy.ts';
export {
  asyncProducer,
  AsyncProducer,
  type AsyncProducerOptions,
  type ObserverOverflow,
  type Produced,
  type ProducedCounts,
  type ProduceFailure,
} from './sinks/async-producer.ts';
export type { DeadLetterOptions } from './sinks/dead-letter.ts';
export type { Message, MessageFormat, Placement } from './sinks/message.ts';
export type { ResultStream } from './sinks/result-stream.ts';
export type { RetryTopics, RetryTopicsOptions } from './sinks/retry-topics.ts';
export { syncProducer, SyncProducer, type SyncProducerOptions } from './sinks/sync-producer.ts';
export { fromAsyncIterable } from './sources/from-async-iterable.ts';
export { fromIterable } from './sources/from-iterable.ts';
export { fromObservable, type Overflow } from './sources/from-observable.ts';
export { fromReadable } from './sources/from-readable.ts';
export type { RetryLevel } from './sources/retry-plan.ts';
export type { Credit, FetchTuning, Formats, GroupOptions, ReadOptions, RecordOf } from './sources/options.ts';
export { sluice, type ScriptOptions } from './topology/script.ts';
export type { Sluice } from './topology/sluice.ts';
export { topology } from './topology/topology.ts';
export type {
  Restart,
  RestartOptions,
  Running,
  RunOptions,
  RunSummary,
  Topology,
  TransactionOptions,
} from './topology/types.ts';
