// Which partition a key belongs to. Every function here is one that another client uses too, so that moving to or from it keeps keys where they are.

import type { Bytes } from '../records/types.ts';
import { UsageError } from '../../errors.ts';
import { murmur2 } from './murmur2.ts';

/**
 * Chooses a partition below `partitionCount` for a key, or returns undefined to leave the choice to the producer, which then fills one partition's
 * batch after another. Must give the same answer for the same key and count.
 */
export type Partitioner = (key: Bytes | null, partitionCount: number) => number | undefined;

/**
 * Chooses among the partitions that can be written to now, for records whose key does not bind them to one: `writable` are their indexes, never none
 * unless the whole topic is without leaders; then they are all of them.
 */
export interface WritablePartitioner {
  choose(key: Bytes | null, writable: readonly number[]): number;
}

/** How a producer without a partition in the record finds one, when no hash says it. */
export type Spread = 'sticky' | 'random' | 'round-robin' | WritablePartitioner;

/**
 * - `murmur2`: the Java client, kafkajs, franz-go.
 * - `fnv1a`: sarama's default (`HashPartitioner`) and librdkafka's `fnv1a_random`.
 * - `fnv1a-reference`: sarama's `NewReferenceHashPartitioner`.
 * - `crc32`: sarama's `NewConsistentCRCHashPartitioner`; librdkafka's `consistent`.
 * - `consistent-random`: librdkafka's default: `crc32`, but an empty key is none.
 * - `sticky`: no key binds a record: one partition's batch is filled after another's.
 * - `random`, `round-robin`: the same for each record; sarama's `RandomPartitioner`, `RoundRobinPartitioner`.
 * - `manual`: every record says its partition; one that does not is refused.
 *
 * The hashes choose among all partitions, with a leader or not, for a key has its place; they leave a record without a key to `sticky`, and an empty
 * key is a key. The others choose among the partitions that have a leader, while there is one.
 */
export type PartitionerName =
  | 'murmur2'
  | 'fnv1a'
  | 'fnv1a-reference'
  | 'crc32'
  | 'consistent-random'
  | 'sticky'
  | 'random'
  | 'round-robin'
  | 'manual';

/** Java's `Utils.toPositive`: drops the sign bit, which is not the absolute value. */
export function toPositive(hash: number): number {
  return hash & 0x7fffffff;
}

const SCRATCH_BYTES = 512;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

type Hash = (data: Uint8Array, start: number, end: number) => number;

/** Hashes text without making a buffer for it when it is short, as keys are. */
function hashKey(hash: Hash, key: Bytes): number {
  if (typeof key !== 'string') return hash(key, 0, key.length);
  if (key.length * 3 <= SCRATCH_BYTES) return hash(scratch, 0, scratch.write(key, 0, 'utf8'));
  const bytes = Buffer.from(key, 'utf8');
  return hash(bytes, 0, bytes.length);
}

function fnv1a(data: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5 | 0;
  for (let at = start; at < end; at += 1) h = Math.imul(h ^ data[at]!, 0x01000193);
  return h;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

function crc32(data: Uint8Array, start: number, end: number): number {
  let c = -1;
  for (let at = start; at < end; at += 1) c = crcTable[(c ^ data[at]!) & 0xff]! ^ (c >>> 8);
  return ~c;
}

const byName: { readonly [name in PartitionerName]: Partitioner } = {
  murmur2: (key, count) => (key === null ? undefined : toPositive(hashKey(murmur2, key)) % count),
  fnv1a: (key, count) => (key === null ? undefined : Math.abs(hashKey(fnv1a, key) % count)),
  'fnv1a-reference': (key, count) => (key === null ? undefined : toPositive(hashKey(fnv1a, key)) % count),
  crc32: (key, count) => (key === null ? undefined : (hashKey(crc32, key) >>> 0) % count),
  'consistent-random': (key, count) =>
    key === null || key.length === 0 ? undefined : (hashKey(crc32, key) >>> 0) % count,
  sticky: unbound,
  random: unbound,
  'round-robin': unbound,
  manual: () => {
    throw new UsageError("The partitioner is 'manual', and the record names no partition", 'partition');
  },
};

function unbound(): undefined {
  return undefined;
}

/** What the option stands for: who binds a key to a partition, and how the other records are spread. */
export function partitioning(option: PartitionerName | Partitioner | WritablePartitioner): {
  readonly bind: Partitioner;
  readonly spread: Spread;
} {
  if (typeof option === 'function') return { bind: option, spread: 'sticky' };
  if (typeof option === 'object') return { bind: unbound, spread: option };
  const spread = option === 'random' || option === 'round-robin' ? option : 'sticky';
  return { bind: byName[option], spread };
}

/** The names {@link partitionerByName} knows. */
export const PARTITIONER_NAMES = Object.keys(byName) as readonly PartitionerName[];

/** The partitioner of this name; undefined when there is none. */
export function partitionerByName(name: PartitionerName): Partitioner | undefined {
  return Object.hasOwn(byName, name) ? byName[name] : undefined;
}
