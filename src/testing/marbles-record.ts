import type { Buffer } from 'node:buffer';
import type { ConsumerRecord, RecordHeaders } from '../core/records/types.ts';

const noHeaders: RecordHeaders = {
  get: () => undefined,
  text: () => undefined,
  all: () => [],
  [Symbol.iterator]: () => ([] as (readonly [string, Buffer | null])[])[Symbol.iterator](),
};

/** A record for tests: partition 0, offset 0, topic 'test' and timestamp 0 unless given, no headers. */
export function record<K, V>(fields: {
  readonly key: K;
  readonly value: V;
  readonly topic?: string;
  readonly timestamp?: number;
}): ConsumerRecord<K, V> {
  return {
    topic: fields.topic ?? 'test',
    partition: 0,
    offset: 0,
    timestamp: fields.timestamp ?? 0,
    timestampBigInt: BigInt(Math.trunc(fields.timestamp ?? 0)),
    timestampType: 'create',
    leaderEpoch: -1,
    key: fields.key,
    value: fields.value,
    headers: noHeaders,
  };
}
