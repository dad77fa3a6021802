import { describe, expect, it } from '@jest/globals';
import {
  AuthenticationError,
  BrokerError,
  CompressionError,
  ConnectionError,
  CorruptRecordError,
  OffsetRangeError,
  TimeoutError,
  UnsupportedVersionError,
  UsageError,
} from '../../src/errors.ts';
import { asKafkaError } from '../../src/kafkajs/errors.ts';

const named = (name: string, fields: object = {}): Error =>
  Object.assign(new Error('what kafkajs says'), { name }, fields);

describe('errors of kafkajs', () => {
  it.each([
    [named('KafkaJSConnectionError', { broker: 'b:9092' }), ConnectionError, 'NETWORK_EXCEPTION', true],
    [
      named('KafkaJSConnectionClosedError', { host: 'b', port: 1 }),
      ConnectionError,
      'NETWORK_EXCEPTION',
      true,
    ],
    [named('KafkaJSRequestTimeoutError'), TimeoutError, 'REQUEST_TIMED_OUT', true],
    [named('KafkaJSSASLAuthenticationError'), AuthenticationError, 'NETWORK_EXCEPTION', false],
    [
      named('KafkaJSOffsetOutOfRange', { topic: 't', partition: 1 }),
      OffsetRangeError,
      'OFFSET_OUT_OF_RANGE',
      false,
    ],
    [named('KafkaJSNotImplemented'), CompressionError, 'UNSUPPORTED_COMPRESSION_TYPE', false],
    [named('KafkaJSServerDoesNotSupportApiKey'), UnsupportedVersionError, 'UNSUPPORTED_VERSION', false],
    [named('KafkaJSPartialMessageError'), CorruptRecordError, 'CORRUPT_MESSAGE', false],
    [named('KafkaJSTopicMetadataNotLoaded'), BrokerError, 'UNKNOWN_TOPIC_OR_PARTITION', true],
    [named('KafkaJSGroupCoordinatorNotFound'), BrokerError, 'COORDINATOR_NOT_AVAILABLE', true],
    [
      named('KafkaJSProtocolError', { type: 'NOT_COORDINATOR_FOR_GROUP', code: 16 }),
      BrokerError,
      'NOT_COORDINATOR',
      true,
    ],
    [
      named('KafkaJSProtocolError', { type: 'MESSAGE_TOO_LARGE', code: 10 }),
      BrokerError,
      'MESSAGE_TOO_LARGE',
      false,
    ],
    [named('KafkaJSNonRetriableError', { retriable: false }), BrokerError, 'UNKNOWN_SERVER_ERROR', false],
  ])('%s', (error, kind, errorName, retriable) => {
    const found = asKafkaError(error, 'Fetch');
    expect(found).toBeInstanceOf(kind);
    expect(found).toMatchObject({ errorName, retriable });
    expect(found.message).toContain('what kafkajs says');
  });

  it('what was tried too often is what it was tried for', () => {
    const cause = named('KafkaJSConnectionError', { broker: '[::1]:9092' });
    const error = named('KafkaJSNumberOfRetriesExceeded', { retryCount: 5, cause });
    expect(asKafkaError(error, 'Produce')).toMatchObject({ host: '[::1]', port: 9092, cause });
  });

  it('ours stay as they are, and what is no error is named', () => {
    const own = new UsageError('no');
    expect(asKafkaError(own, 'Fetch')).toBe(own);
    expect(asKafkaError('nonsense', 'Fetch').message).toBe('Fetch over kafkajs: nonsense');
  });
});
