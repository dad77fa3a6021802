// Kafka's settings of producers and consumers, and what each means to this client.

import type { GroupConsumerOptions, KafkaOptions, ProducerOptions } from '../core/index.ts';
import { UsageError } from '../errors.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What a configuration comes to. */
export interface ClientConfig {
  readonly kafka: Writable<Partial<KafkaOptions>>;
  readonly retry: { initialRetryTime?: number; maxRetryTime?: number };
  readonly producer: Writable<ProducerOptions>;
  readonly consumer: Writable<Partial<GroupConsumerOptions>>;
  /** By codec: Kafka has a setting for each, the client one for the codec that it uses. */
  readonly levels: Partial<Record<NonNullable<ProducerOptions['compression']>, number>>;
  /** Kafka's `max.poll.records`, for the tool's own batches. */
  maxPollRecords: number;
}

/** Reads a value into a configuration. @throws UsageError that begins with what is wrong with it. */
export type Apply = (value: string, into: ClientConfig) => void;

/** Kafka's defaults where the tool itself has to know them. */
const MAX_POLL_RECORDS = 500;
const MAX_POLL_INTERVAL_MS = 300_000;

const whole = (take: (into: ClientConfig, value: number) => void): Apply => {
  return (value, into) => take(into, number(value));
};

function number(value: string): number {
  const parsed = /^-?[0-9]+$/.test(value.trim()) ? Number(value) : NaN;
  if (!Number.isSafeInteger(parsed)) throw new UsageError(`must be a whole number, not '${value}'`);
  return parsed;
}

/** A setting that has to have one of these values, because the client does nothing else. */
const only = (values: readonly string[], otherwise: string): Apply => {
  return (value) => {
    if (!values.includes(value.trim())) throw new UsageError(`is '${value}': ${otherwise}`);
  };
};

/** Of every client. */
export const COMMON: { readonly [name: string]: Apply } = {
  'bootstrap.servers': (value, { kafka }) => {
    kafka.brokers = value.split(',').map((one) => one.trim());
  },
  'client.id': (value, { kafka }) => {
    kafka.clientId = value;
  },
  'request.timeout.ms': whole(({ kafka, producer }, ms) => {
    kafka.requestTimeout = ms;
    producer.requestTimeoutMs = ms;
  }),
  'default.api.timeout.ms': whole(({ kafka }, ms) => {
    kafka.defaultApiTimeoutMs = ms;
  }),
  'retry.backoff.ms': whole(({ retry, producer }, ms) => {
    retry.initialRetryTime = ms;
    producer.retryBackoffMs = ms;
  }),
  'retry.backoff.max.ms': whole(({ retry, producer }, ms) => {
    retry.maxRetryTime = ms;
    producer.retryBackoffMaxMs = ms;
  }),
  'reconnect.backoff.ms': whole(({ kafka }, ms) => {
    kafka.reconnectBackoffMs = ms;
  }),
  'reconnect.backoff.max.ms': whole(({ kafka }, ms) => {
    kafka.reconnectBackoffMaxMs = ms;
  }),
  'metadata.max.age.ms': whole(({ kafka, consumer }, ms) => {
    kafka.metadataMaxAge = ms;
    consumer.metadataMaxAgeMs = ms;
  }),
  'connections.max.idle.ms': whole(({ kafka }, ms) => {
    kafka.connectionsMaxIdleMs = ms;
  }),
  'socket.connection.setup.timeout.ms': whole(({ kafka }, ms) => {
    kafka.connectionTimeout = ms;
  }),
};

const ACKS: ReadonlyMap<string, -1 | 0 | 1> = new Map([
  ['all', -1],
  ['-1', -1],
  ['0', 0],
  ['1', 1],
]);

/** Sets what is waited for; with less than all, and nothing said about it, the producer is not idempotent, as in Java. */
export function setAcks(producer: ClientConfig['producer'], acks: -1 | 0 | 1): void {
  producer.acks = acks;
  if (acks !== -1) producer.idempotent ??= false;
}

export const PRODUCER: { readonly [name: string]: Apply } = {
  acks: (value, { producer }) => {
    const acks = ACKS.get(value.trim().toLowerCase());
    if (acks === undefined) throw new UsageError(`must be all, -1, 0 or 1, not '${value}'`);
    setAcks(producer, acks);
  },
  'batch.size': whole(({ producer }, bytes) => {
    producer.batchBytes = Math.max(1, bytes);
  }),
  'buffer.memory': whole(({ producer }, bytes) => {
    producer.bufferBytes = bytes;
  }),
  'compression.type': (value, { producer }) => {
    producer.compression = value.trim() as NonNullable<ProducerOptions['compression']>;
  },
  'compression.gzip.level': whole(({ levels }, level) => {
    // Kafka's word for gzip's own.
    if (level !== -1) levels.gzip = level;
  }),
  'compression.zstd.level': whole(({ levels }, level) => {
    levels.zstd = level;
  }),
  'delivery.timeout.ms': whole(({ producer }, ms) => {
    producer.deliveryTimeoutMs = ms;
  }),
  'enable.idempotence': (value, { producer }) => {
    producer.idempotent = truth(value);
  },
  'linger.ms': whole(({ producer }, ms) => {
    producer.lingerMs = ms;
  }),
  'max.block.ms': whole(({ producer }, ms) => {
    producer.metadataTimeoutMs = Math.max(1, ms);
  }),
  'max.in.flight.requests.per.connection': whole(({ producer }, count) => {
    producer.maxInFlight = count;
  }),
  'max.request.size': whole(({ producer }, bytes) => {
    producer.maxRecordBytes = bytes;
  }),
  'key.serializer': only(
    ['org.apache.kafka.common.serialization.StringSerializer'],
    'this tool writes strings; leave it out',
  ),
  'value.serializer': only(
    ['org.apache.kafka.common.serialization.StringSerializer'],
    'this tool writes strings; leave it out',
  ),
  'transactional.id': only([], 'this command makes no transactions; sluice transactional-copier does'),
  retries: whole(({ producer }, count) => {
    producer.retries = count;
  }),
  'partitioner.class': only([], "the client cannot run Java classes; its partitioner is Kafka's default"),
  'interceptor.classes': only([''], 'the client cannot run Java classes'),
};

export const CONSUMER: { readonly [name: string]: Apply } = {
  'allow.auto.create.topics': (value, { kafka }) => {
    kafka.allowAutoTopicCreation = truth(value);
  },
  'auto.commit.interval.ms': whole(({ consumer }, ms) => {
    consumer.commitIntervalMs = Math.max(1, ms);
  }),
  'fetch.min.bytes': whole(({ consumer }, bytes) => {
    consumer.fetchMinBytes = bytes;
  }),
  'fetch.max.wait.ms': whole(({ consumer }, ms) => {
    consumer.fetchMaxWaitMs = ms;
  }),
  'max.partition.fetch.bytes': whole(({ consumer }, bytes) => {
    consumer.partitionFetchBytes = bytes;
  }),
  'heartbeat.interval.ms': whole(({ consumer }, ms) => {
    consumer.heartbeatIntervalMs = ms;
  }),
  'session.timeout.ms': whole(({ consumer }, ms) => {
    consumer.sessionTimeoutMs = ms;
  }),
  'max.poll.interval.ms': whole(({ consumer }, ms) => {
    consumer.rebalanceTimeoutMs = ms;
  }),
  'max.poll.records': (value, into) => {
    const count = number(value);
    if (count < 1) throw new UsageError(`must be at least 1, not ${count}`);
    into.maxPollRecords = count;
  },
  'isolation.level': (value, { consumer }) => {
    const level = value.trim().toLowerCase();
    if (level !== 'read_committed' && level !== 'read_uncommitted')
      throw new UsageError(`must be read_uncommitted or read_committed, not '${value}'`);
    consumer.isolationLevel = level;
  },
  'key.deserializer': only(
    ['org.apache.kafka.common.serialization.StringDeserializer'],
    'this tool reads strings; leave it out',
  ),
  'value.deserializer': only(
    ['org.apache.kafka.common.serialization.StringDeserializer'],
    'this tool reads strings; leave it out',
  ),
  'interceptor.classes': only([''], 'the client cannot run Java classes'),
  'client.rack': (value, { consumer }) => {
    if (value.trim() !== '') consumer.rackId = value.trim();
  },
  'group.protocol': only(['classic', 'CLASSIC'], 'say it with --group-protocol, which wins over the file'),
};

function truth(value: string): boolean {
  const text = value.trim().toLowerCase();
  if (text !== 'true' && text !== 'false') throw new UsageError(`must be true or false, not '${value}'`);
  return text === 'true';
}

/** A client as it is without any configuration. */
export function emptyConfig(): ClientConfig {
  return {
    kafka: {},
    retry: {},
    producer: {},
    levels: {},
    consumer: { rebalanceTimeoutMs: MAX_POLL_INTERVAL_MS },
    maxPollRecords: MAX_POLL_RECORDS,
  };
}

/** Kafka's names for the client's options, for messages about them. */
export const KAFKA_NAMES: { readonly [option: string]: string } = {
  brokers: '--bootstrap-server',
  clientId: 'client.id',
  requestTimeout: 'request.timeout.ms',
  requestTimeoutMs: 'request.timeout.ms',
  defaultApiTimeoutMs: 'default.api.timeout.ms',
  'retry.initialRetryTime': 'retry.backoff.ms',
  'retry.maxRetryTime': 'retry.backoff.max.ms',
  retryBackoffMs: 'retry.backoff.ms',
  retryBackoffMaxMs: 'retry.backoff.max.ms',
  reconnectBackoffMs: 'reconnect.backoff.ms',
  reconnectBackoffMaxMs: 'reconnect.backoff.max.ms',
  metadataMaxAge: 'metadata.max.age.ms',
  metadataMaxAgeMs: 'metadata.max.age.ms',
  connectionsMaxIdleMs: 'connections.max.idle.ms',
  connectionTimeout: 'socket.connection.setup.timeout.ms',
  acks: 'acks',
  idempotent: 'enable.idempotence',
  retries: 'retries',
  ssl: 'ssl.truststore, ssl.keystore',
  batchBytes: 'batch.size',
  bufferBytes: 'buffer.memory',
  compression: 'compression.type',
  compressionLevel: 'compression.gzip.level, compression.zstd.level',
  deliveryTimeoutMs: 'delivery.timeout.ms',
  lingerMs: 'linger.ms',
  metadataTimeoutMs: 'max.block.ms',
  maxInFlight: 'max.in.flight.requests.per.connection',
  maxRecordBytes: 'max.request.size',
  commitIntervalMs: 'auto.commit.interval.ms',
  fetchMinBytes: 'fetch.min.bytes',
  fetchMaxWaitMs: 'fetch.max.wait.ms',
  partitionFetchBytes: 'max.partition.fetch.bytes',
  heartbeatIntervalMs: 'heartbeat.interval.ms',
  sessionTimeoutMs: '--session-timeout (session.timeout.ms)',
  rebalanceTimeoutMs: 'max.poll.interval.ms',
  groupId: '--group-id',
  groupInstanceId: '--group-instance-id',
  topics: '--topic',
  transactionalId: '--transactional-id',
  transactionTimeoutMs: '--transaction-timeout',
};
