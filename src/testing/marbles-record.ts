import { headersFrom } from '../core/records/headers.ts';
import type { ConsumerRecord, HeadersInit } from '../core/records/types.ts';

/** Fields of a record for tests; those left out get a value that seldom matters. */
export interface RecordFields<out K, out V> {
  readonly key: K;
  readonly value: V;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  /** Milliseconds since 1970. */
  readonly timestamp?: number | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly leaderEpoch?: number | undefined;
}

const given = new WeakMap<object, RecordFields<unknown, unknown>>();

/**
 * A record for tests: partition 0, offset 0, topic 'test' and timestamp 0 unless given, no headers. Piped into a test topology it has only what
 * was given: the partition follows from the key, the timestamp is now.
 *
 * @example
 * ```ts
 * const orders = flow('ab|', { a: record({ key: '1', value: { total: 5 } }), b: record({ key: '2', value: { total: 0 } }) });
 * ```
 */
export function record<K, V>(fields: RecordFields<K, V>): ConsumerRecord<K, V> {
  const timestamp = fields.timestamp ?? 0;
  const made: ConsumerRecord<K, V> = {
    topic: fields.topic ?? 'test',
    partition: fields.partition ?? 0,
    offset: fields.offset ?? 0,
    timestamp,
    timestampBigInt: BigInt(Math.trunc(timestamp)),
    timestampType: 'create',
    leaderEpoch: fields.leaderEpoch ?? -1,
    key: fields.key,
    value: fields.value,
    headers: headersFrom(fields.headers),
  };
  given.set(made, fields);
  return made;
}

/** What `record` was given; undefined for what it did not make. */
export function fieldsGiven(made: object): RecordFields<unknown, unknown> | undefined {
  return given.get(made);
}
