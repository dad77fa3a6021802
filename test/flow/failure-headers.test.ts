// Headers of failures under the names of three tools: as those tools write them, and read back.
import { describe, expect, it } from '@jest/globals';
import { headersFrom } from '../../src/core/records/headers.ts';
import {
  failureHeaders,
  failureOf,
  originalHeaders,
  type Failure,
  type FailureHeaders,
} from '../../src/flow/failure-headers.ts';

const failure: Failure = {
  topic: 'orders',
  partition: 3,
  offset: 5_000_000_000,
  cause: { name: 'RangeError', message: 'too much', stack: 'RangeError: too much\n    at price' },
  stage: 'price',
  attempts: 7,
  retries: 2,
  firstFailedAt: 1_700_000_000_000,
  failedAt: 1_700_000_060_000,
  dueAt: 1_700_000_065_000,
};

const read = (headers: readonly (readonly [string, Uint8Array | string | null])[]) =>
  failureOf({ headers: headersFrom(headers) });

describe('failureHeaders', () => {
  it.each<[FailureHeaders, boolean]>([
    ['streams', false],
    ['connect', false],
    ['spring', false],
    ['spring', true],
  ])('of %s are read back as they were', (family, retried) => {
    expect(read(failureHeaders(failure, family, retried))).toEqual(failure);
  });

  it("have Kafka Streams' names (KIP-1034), and what that has no name for under our own", () => {
    expect(failureHeaders(failure, 'streams', false).map(([name]) => name)).toEqual([
      '__streams.errors.exception',
      '__streams.errors.message',
      '__streams.errors.stacktrace',
      '__streams.errors.topic',
      '__streams.errors.partition',
      '__streams.errors.offset',
      '__sluice.errors.stage',
      '__sluice.errors.attempts',
      '__sluice.errors.retries',
      '__sluice.errors.first-failed-at',
      '__sluice.errors.failed-at',
      '__sluice.errors.due-at',
    ]);
  });

  it("have Kafka Connect's names", () => {
    expect(Object.fromEntries(failureHeaders(failure, 'connect', false))).toMatchObject({
      '__connect.errors.topic': 'orders',
      '__connect.errors.partition': '3',
      '__connect.errors.offset': '5000000000',
      '__connect.errors.stage': 'price',
      '__connect.errors.exception.class.name': 'RangeError',
      '__connect.errors.exception.message': 'too much',
    });
  });

  it("have Spring Kafka's names and its binary numbers", () => {
    const dead = Object.fromEntries(failureHeaders(failure, 'spring', false));
    expect(dead).toMatchObject({
      'kafka_dlt-original-topic': 'orders',
      'kafka_dlt-original-partition': Buffer.from([0, 0, 0, 3]),
      'kafka_dlt-original-offset': Buffer.from('000000012a05f200', 'hex'),
      'kafka_dlt-exception-fqcn': 'RangeError',
      'kafka_dlt-exception-message': 'too much',
    });
    expect(Object.fromEntries(failureHeaders(failure, 'spring', true))).toMatchObject({
      'kafka_original-topic': 'orders',
      'retry_topic-attempts': Buffer.from([0, 0, 0, 7]),
      // As BigInteger.toByteArray(): six bytes.
      'retry_topic-backoff-timestamp': Buffer.from('018bcfe665e8', 'hex'),
    });
  });
});

describe('failureOf', () => {
  it('is undefined for a record that tells of no failure', () => {
    expect(read([['trace', '1']])).toBeUndefined();
    expect(read([['__streams.errors.topic', null]])).toBeUndefined();
  });

  it('reads what is there and survives what is nonsense', () => {
    const headers: [string, Uint8Array | string][] = [
      ['kafka_dlt-original-topic', 'orders'],
      ['kafka_dlt-original-partition', Buffer.alloc(200)],
      ['kafka_dlt-original-offset', 'not a number'],
    ];
    expect(read(headers)).toMatchObject({ topic: 'orders', partition: -1, attempts: 0, dueAt: undefined });
    expect(
      read([
        ['__streams.errors.topic', 'a'],
        ['__sluice.errors.due-at', 'soon'],
        ['__sluice.errors.attempts', ''],
      ]),
    ).toMatchObject({
      attempts: 0,
      dueAt: undefined,
      offset: -1,
      cause: { name: '', message: '', stack: '' },
    });
  });

  it('reads a negative number of Java', () => {
    expect(
      read([
        ['kafka_original-topic', 'a'],
        ['kafka_original-partition', Buffer.from([255, 255, 255, 255])],
      ]),
    ).toMatchObject({ partition: -1 });
  });
});

describe('originalHeaders', () => {
  it('takes off what tells of the last failure, and nothing else', () => {
    const own: [string, string | null][] = [
      ['trace', '1'],
      ['trace', null],
    ];
    const once = [...own, ...failureHeaders(failure, 'streams', false)];
    const twice = [...once, ...failureHeaders({ ...failure, topic: 'again' }, 'connect', false)];
    const bytes = (list: readonly (readonly [string, Uint8Array | string | null])[]) =>
      [...headersFrom(list)].map(([name, value]) => [name, value]);
    expect(originalHeaders({ headers: headersFrom(once) })).toEqual(bytes(own));
    const again = [...once, ...failureHeaders({ ...failure, topic: 'again' }, 'streams', false)];
    expect(originalHeaders({ headers: headersFrom(again) })).toEqual(bytes(once));
    expect(originalHeaders({ headers: headersFrom(twice) }).map(([name]) => name)).toContain('trace');
  });
});
