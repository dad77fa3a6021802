import { Buffer } from 'node:buffer';
import type { ConsumerRecord } from '../core/records/types.ts';

/** A record that lies in the memory of what was fetched, and knows how to leave it. */
interface Copyable {
  copy(): ConsumerRecord<unknown, unknown>;
}

/** Bytes in memory of their own; anything else as it is. */
export function ownBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const own = Buffer.allocUnsafeSlow(value.length);
  own.set(value);
  return own;
}

/**
 * The record with memory of its own. Key, value and headers of a record are views of the answer it was fetched with: they stay as they are for as
 * long as anybody holds them, and hold all of that answer (up to some megabytes, of every partition in it) or, if it was compressed, all of its
 * batch. To keep a record, or bytes of it, for longer than the next few, keep the copy: `map(copy)`.
 *
 * @example
 * ```ts
 * claims.pipe(map(copy), tap((record) => latest.set(record.partition, record)));
 * ```
 */
export function copy<R extends ConsumerRecord<unknown, unknown>>(record: R): R {
  if (isCopyable(record)) return record.copy() as R;
  return { ...record, key: ownBytes(record.key), value: ownBytes(record.value) };
}

function isCopyable(record: unknown): record is Copyable {
  return typeof (record as Partial<Copyable>).copy === 'function';
}
