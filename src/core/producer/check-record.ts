// What a record must be before it is taken; found out later, it would cost its batch.
import { UsageError } from '../../errors.ts';
import type { ProducerRecord } from '../records/types.ts';

/** What a key or a value may be. */
export function isBytes(value: unknown): boolean {
  return value === null || typeof value === 'string' || value instanceof Uint8Array;
}

/** Throws a UsageError that names what cannot be written. */
export function checkRecord(topic: string, { key, value, partition }: ProducerRecord): void {
  if (value === undefined)
    throw new UsageError(`The value of a record for ${topic} is undefined; null writes a tombstone`, 'value');
  if (!isBytes(value))
    throw new UsageError(
      `The value of a record for ${topic} must be bytes, text or null, not ${typeof value}`,
      'value',
    );
  if (!isBytes(key ?? null))
    throw new UsageError(
      `The key of a record for ${topic} must be bytes, text or null, not ${typeof key}`,
      'key',
    );
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition <= 0x7fffffff))
    throw new UsageError(
      `The partition of a record for ${topic} must be an index from 0, not ${String(partition)}`,
      'partition',
    );
}

/** Java's client refuses the same: `-1`, Kafka's word for no time, is never written by a producer. */
export function isTime(timestamp: unknown): boolean {
  return Number.isInteger(timestamp) && (timestamp as number) >= 0 && (timestamp as number) < 2 ** 63;
}

export function noTime(topic: string, timestamp: unknown): UsageError {
  return new UsageError(
    `The timestamp of a record for ${topic} must be whole milliseconds since 1970, not ${String(timestamp)}`,
    'timestamp',
  );
}
