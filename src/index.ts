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
export type { Backoff } from './flow/backoff.ts';
export { Claim } from './flow/claim.ts';
export { Claims, type Rebalance } from './flow/claims.ts';
export type { Delivery, Fork } from './flow/delivery.ts';
export { failureOf, originalHeaders, type Failure, type FailureHeaders } from './flow/failure-headers.ts';
export { Flow } from './flow/flow.ts';
export { gather } from './flow/gather.ts';
export { isKafkaError, type SluiceError } from './flow/is-kafka-error.ts';
export type { Key } from './flow/key.ts';
export type { CallContext } from './operators/async/call.ts';
export type { Ordering } from './operators/async/call-order.ts';
export type { FlowEnd, Op } from './flow/op.ts';
export type { Origin } from './flow/origin.ts';
export { fail, retry, rewind, skip, type ErrorPolicy, type StageOptions } from './flow/policy.ts';
export { Settled } from './flow/settled.ts';
export { StageError } from './flow/stage-error.ts';
export { atMostOnce } from './operators/at-most-once.ts';
export { batch, type BatchOptions } from './operators/batch.ts';
export { countWindow, type CountWindowOptions } from './operators/count-window.ts';
export { dropping } from './operators/dropping.ts';
export { eachClaim } from './operators/each-claim.ts';
export { fanOut } from './operators/fan-out.ts';
export { filter } from './operators/filter.ts';
export { flatMap } from './operators/flat-map.ts';
export { map } from './operators/map.ts';
export { mapAsync } from './operators/map-async.ts';
export { merge } from './operators/merge.ts';
export { passing } from './operators/passing.ts';
export { perRecord } from './operators/per-record.ts';
export { settle } from './operators/settle.ts';
export { tap } from './operators/tap.ts';
export { tumblingWindow, type WindowOptions } from './operators/tumbling-window.ts';
export type { Windowed } from './operators/windows/windowed.ts';
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
