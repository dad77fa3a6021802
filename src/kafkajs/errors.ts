// Errors of kafkajs as errors of ours. They are known by their names: their classes are in the user's copy of kafkajs.

import { brokerError } from '../core/cluster/retry.ts';
import {
  AuthenticationError,
  BrokerError,
  CompressionError,
  ConnectionError,
  CorruptRecordError,
  KafkaError,
  OffsetRangeError,
  TimeoutError,
  UnsupportedVersionError,
} from '../errors.ts';

/** What may be known of an error of kafkajs. */
interface KafkajsError extends Error {
  readonly retriable?: boolean;
  /** Kafka's name for it, in kafkajs's spelling. */
  readonly type?: string;
  readonly code?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly host?: string;
  readonly port?: number;
  readonly broker?: string;
  readonly retryCount?: number;
  readonly pendingDuration?: number;
}

/** Where kafkajs's own errors are Kafka's by another name. */
const NAMES: Readonly<Record<string, readonly [errorName: string, retriable: boolean]>> = {
  KafkaJSBrokerNotFound: ['BROKER_NOT_AVAILABLE', true],
  KafkaJSNoBrokerAvailableError: ['BROKER_NOT_AVAILABLE', true],
  KafkaJSGroupCoordinatorNotFound: ['COORDINATOR_NOT_AVAILABLE', true],
  KafkaJSMetadataNotLoaded: ['UNKNOWN_TOPIC_OR_PARTITION', true],
  KafkaJSTopicMetadataNotLoaded: ['UNKNOWN_TOPIC_OR_PARTITION', true],
  KafkaJSStaleTopicMetadataAssignment: ['REBALANCE_IN_PROGRESS', true],
  KafkaJSInvariantViolation: ['UNKNOWN_SERVER_ERROR', false],
};

/** What makes kafkajs join its group again. */
const REBALANCING: ReadonlySet<string> = new Set([
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
]);

/** As kafkajs's own `isRebalancing`. */
export function isRebalancing(error: unknown): boolean {
  return REBALANCING.has((error as KafkajsError | undefined)?.type ?? '');
}

/** Ours as they are; `api` says what was asked for. */
export function asKafkaError(error: unknown, api: string): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!(error instanceof Error))
    return new BrokerError('UNKNOWN_SERVER_ERROR', `${api} over kafkajs: ${String(error)}`, {
      retriable: false,
      api,
    });
  return mapped(error, api);
}

function mapped(error: KafkajsError, api: string): KafkaError {
  const { name, cause, code, topic, partition } = error;
  const message = `${api} over kafkajs: ${error.message}`;
  switch (name) {
    case 'KafkaJSNumberOfRetriesExceeded':
    case 'KafkaJSNonRetriableError':
    case 'KafkaJSError':
      if (cause instanceof Error && cause !== error) return asKafkaError(cause, api);
      if (code === undefined || code < -1) break;
      return ofBroker(error, code, api);
    case 'KafkaJSConnectionError':
    case 'KafkaJSConnectionClosedError':
      return new ConnectionError(message, { ...addressOf(error), phase: 'io', cause: error });
    case 'KafkaJSSASLAuthenticationError':
      return new AuthenticationError(message, {
        ...addressOf(error),
        phase: 'auth',
        cause: error,
        retriable: false,
      });
    case 'KafkaJSRequestTimeoutError':
    case 'KafkaJSTimeout':
    case 'KafkaJSLockTimeout':
      return new TimeoutError(message, {
        afterMs: error.pendingDuration ?? 0,
        sent: true,
        api,
        cause: error,
      });
    case 'KafkaJSOffsetOutOfRange':
      return new OffsetRangeError(message, { topic: topic ?? '', partition: partition ?? -1, offset: -1 });
    case 'KafkaJSUnsupportedMagicByteInMessageSet':
    case 'KafkaJSPartialMessageError':
      return new CorruptRecordError(message, { cause: error });
    case 'KafkaJSNotImplemented':
      return new CompressionError(
        `${message}: kafkajs needs a codec of its own in CompressionCodecs; this library's client has all of them`,
        codecIn(error.message),
        { cause: error },
      );
    case 'KafkaJSServerDoesNotSupportApiKey':
      return new UnsupportedVersionError(message, { api, cause: error });
    default:
      if (code !== undefined && error.type !== undefined) return ofBroker(error, code, api);
  }
  const [errorName, retriable] = NAMES[name] ?? ['UNKNOWN_SERVER_ERROR', error.retriable ?? false];
  return new BrokerError(errorName, message, { retriable, api, topic, partition, cause: error });
}

/** By Kafka's code: kafkajs spells some of the names as Kafka did years ago. */
function ofBroker(error: KafkajsError, code: number, api: string): BrokerError {
  const { topic, partition } = error;
  const known = brokerError(code, { api, topic, partition, detail: error.message });
  return new BrokerError(known.errorName, known.message, {
    retriable: known.retriable,
    api,
    topic,
    partition,
    cause: error,
  });
}

function addressOf({ host, port, broker }: KafkajsError): { host: string; port: number } {
  if (host !== undefined && port !== undefined) return { host, port };
  const at = broker?.lastIndexOf(':') ?? -1;
  return at < 0
    ? { host: broker ?? '', port: 0 }
    : { host: broker!.slice(0, at), port: Number(broker!.slice(at + 1)) };
}

function codecIn(message: string): string {
  return /^(snappy|lz4|zstd)/i.exec(message)?.[1]?.toLowerCase() ?? 'unknown';
}
