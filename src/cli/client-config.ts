// Kafka's configuration names in terms of this client: what has an equivalent is mapped, what would change the outcome is refused, the rest is named.

import { readFile } from 'node:fs/promises';
import type { GroupConsumerOptions, KafkaOptions, ProducerOptions } from '../core/index.ts';
import { UsageError } from '../errors.ts';
import { parseProperties } from './properties.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What a configuration comes to. */
export interface ClientConfig {
  readonly kafka: Writable<Partial<KafkaOptions>>;
  readonly retry: { initialRetryTime?: number; maxRetryTime?: number };
  readonly producer: Writable<ProducerOptions>;
  readonly consumer: Writable<Partial<GroupConsumerOptions>>;
  /** Kafka's `max.poll.records`, for the tool's own batches. */
  maxPollRecords: number;
}

type Apply = (value: string, into: ClientConfig) => void;

/** Kafka's defaults where the tool itself has to know them. */
const MAX_POLL_RECORDS = 500;
const MAX_POLL_INTERVAL_MS = 300_000;

const millis = (take: (into: ClientConfig, ms: number) => void): Apply => {
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

const COMMON: { readonly [name: string]: Apply } = {
  'bootstrap.servers': (value, { kafka }) => {
    kafka.brokers = value.split(',').map((one) => one.trim());
  },
  'client.id': (value, { kafka }) => {
    kafka.clientId = value;
  },
  'request.timeout.ms': millis(({ kafka, producer }, ms) => {
    kafka.requestTimeout = ms;
    producer.requestTimeoutMs = ms;
  }),
  'default.api.timeout.ms': millis(({ kafka }, ms) => {
    kafka.defaultApiTimeoutMs = ms;
  }),
  'retry.backoff.ms': millis(({ retry, producer }, ms) => {
    retry.initialRetryTime = ms;
    producer.retryBackoffMs = ms;
  }),
  'retry.backoff.max.ms': millis(({ retry, producer }, ms) => {
    retry.maxRetryTime = ms;
    producer.retryBackoffMaxMs = ms;
  }),
  'reconnect.backoff.ms': millis(({ kafka }, ms) => {
    kafka.reconnectBackoffMs = ms;
  }),
  'reconnect.backoff.max.ms': millis(({ kafka }, ms) => {
    kafka.reconnectBackoffMaxMs = ms;
  }),
  'metadata.max.age.ms': millis(({ kafka, consumer }, ms) => {
    kafka.metadataMaxAge = ms;
    consumer.metadataMaxAgeMs = ms;
  }),
  'connections.max.idle.ms': millis(({ kafka }, ms) => {
    kafka.connectionsMaxIdleMs = ms;
  }),
  'socket.connection.setup.timeout.ms': millis(({ kafka }, ms) => {
    kafka.connectionTimeout = ms;
  }),
  'security.protocol': only(['PLAINTEXT'], 'the client has neither TLS nor SASL yet; use PLAINTEXT'),
};

const PRODUCER: { readonly [name: string]: Apply } = {
  acks: only(['all', '-1'], 'the producer always waits for all in-sync replicas; use all (or -1)'),
  'batch.size': millis(({ producer }, bytes) => {
    producer.batchBytes = Math.max(1, bytes);
  }),
  'buffer.memory': millis(({ producer }, bytes) => {
    producer.bufferBytes = bytes;
  }),
  'compression.type': (value, { producer }) => {
    producer.compression = value.trim() as NonNullable<ProducerOptions['compression']>;
  },
  'delivery.timeout.ms': millis(({ producer }, ms) => {
    producer.deliveryTimeoutMs = ms;
  }),
  'enable.idempotence': only(['true'], 'the producer is always idempotent; leave it out or set true'),
  'linger.ms': millis(({ producer }, ms) => {
    producer.lingerMs = ms;
  }),
  'max.block.ms': millis(({ producer }, ms) => {
    producer.metadataTimeoutMs = Math.max(1, ms);
  }),
  'max.in.flight.requests.per.connection': millis(({ producer }, count) => {
    producer.maxInFlight = count;
  }),
  'max.request.size': millis(({ producer }, bytes) => {
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
  'transactional.id': only([], 'the client has no transactions yet'),
  'partitioner.class': only([], "the client cannot run Java classes; its partitioner is Kafka's default"),
  'interceptor.classes': only([''], 'the client cannot run Java classes'),
};

const CONSUMER: { readonly [name: string]: Apply } = {
  'allow.auto.create.topics': (value, { kafka }) => {
    kafka.allowAutoTopicCreation = truth(value);
  },
  'auto.commit.interval.ms': millis(({ consumer }, ms) => {
    consumer.commitIntervalMs = Math.max(1, ms);
  }),
  'fetch.min.bytes': millis(({ consumer }, bytes) => {
    consumer.fetchMinBytes = bytes;
  }),
  'fetch.max.wait.ms': millis(({ consumer }, ms) => {
    consumer.fetchMaxWaitMs = ms;
  }),
  'max.partition.fetch.bytes': millis(({ consumer }, bytes) => {
    consumer.partitionFetchBytes = bytes;
  }),
  'heartbeat.interval.ms': millis(({ consumer }, ms) => {
    consumer.heartbeatIntervalMs = ms;
  }),
  'session.timeout.ms': millis(({ consumer }, ms) => {
    consumer.sessionTimeoutMs = ms;
  }),
  'max.poll.interval.ms': millis(({ consumer }, ms) => {
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
  'client.rack': only([''], 'the client does not read from followers yet'),
  'group.protocol': only(
    ['classic', 'CLASSIC'],
    'the client does not have the KIP-848 protocol yet; use classic',
  ),
};

/** Set by options of the command, which win over the file as in Kafka's tool. */
const FROM_OPTIONS: ReadonlySet<string> = new Set([
  'group.id',
  'group.instance.id',
  'group.remote.assignor',
  'enable.auto.commit',
  'auto.offset.reset',
  'partition.assignment.strategy',
]);

/** They ask for security that would silently not be there. */
const SECURITY = /^(ssl|sasl)\./;

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
    consumer: { rebalanceTimeoutMs: MAX_POLL_INTERVAL_MS },
    maxPollRecords: MAX_POLL_RECORDS,
  };
}

/**
 * Adds Kafka's settings to `into`. Answers with the names that have no equivalent here and are left out.
 * @throws UsageError naming a setting that is wrong, or that asks for what the client cannot do.
 */
export function applyConfig(
  role: 'producer' | 'consumer',
  settings: ReadonlyMap<string, string>,
  into: ClientConfig,
): string[] {
  const own = role === 'producer' ? PRODUCER : CONSUMER;
  const ignored: string[] = [];
  for (const [name, value] of settings) {
    const apply = Object.hasOwn(own, name)
      ? own[name]
      : Object.hasOwn(COMMON, name)
        ? COMMON[name]
        : undefined;
    if (apply === undefined) {
      if (role === 'consumer' && FROM_OPTIONS.has(name)) continue;
      if (SECURITY.test(name))
        throw new UsageError(
          `${name}: the client has neither TLS nor SASL yet; remove it, and use a PLAINTEXT listener`,
        );
      ignored.push(name);
      continue;
    }
    try {
      apply(value, into);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${name} ${error.message}`, name);
      throw error;
    }
  }
  return ignored;
}

/** Reads a configuration file. @throws UsageError when it cannot be read. */
export async function readConfigFile(file: string): Promise<Map<string, string>> {
  try {
    return parseProperties(await readFile(file, 'utf8'));
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'it may not be read'
          : `it cannot be read (${code})`;
    throw new UsageError(`${file}: ${why}`);
  }
}

/** The options of the client. */
export function kafkaOptions(
  { kafka, retry }: ClientConfig,
  defaults: { readonly brokers: readonly string[]; readonly clientId: string },
): KafkaOptions {
  return { ...defaults, ...kafka, retry };
}

/** Kafka's names for the client's options, for messages about them. */
const KAFKA_NAMES: { readonly [option: string]: string } = {
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
  batchBytes: 'batch.size',
  bufferBytes: 'buffer.memory',
  compression: 'compression.type',
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
};

/** Runs `make`; what the client says about one of its options is said about Kafka's name for it. */
export function withKafkaNames<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const name = KAFKA_NAMES[error.option?.replace(/\[.*$/, '') ?? ''];
    if (name === undefined) throw error;
    throw new UsageError(`${name}: ${error.message}`, name, { cause: error });
  }
}
