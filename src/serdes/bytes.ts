import type { Buffer } from 'node:buffer';
import type { Serde } from './serde.ts';

const raw: Serde<Uint8Array, Buffer> = {
  serialize: (value) => value,
  deserialize: (data) => data,
};

/** The bytes as they are: a view of the fetched batch on the way in (it keeps that batch in memory while you keep it), no copy on the way out. */
export function bytes(): Serde<Uint8Array, Buffer> {
  return raw;
}
