// The records that clients hand each other, and one line of text for each, in which every byte counts.
import { createHash } from 'node:crypto';
import type { ConsumerRecord } from '../../../src/index.ts';

/** A record as any client may write it. */
export interface Sample {
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

/** Partitions of every topic here. */
export const PARTITIONS = 3;

/** The size that issue trackers of clients are full of: just below what a broker takes by default. */
const LARGE_BYTES = 1_000_000;
const SHOWN_BYTES = 60;

const bytes = (text: string): Buffer => Buffer.from(text);

/** Bytes without any pattern that a codec could use. */
function noise(length: number, seed: number): Buffer {
  const out = Buffer.allocUnsafe(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}

const START = Date.parse('2026-02-03T04:05:06.789Z');

const every: readonly Omit<Sample, 'partition' | 'timestamp'>[] = [
  { key: null, value: null, headers: [] },
  { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [] },
  { key: null, value: bytes('no key'), headers: [] },
  { key: bytes('tombstone'), value: null, headers: [['why', bytes('deleted')]] },
  { key: Buffer.from(Array.from({ length: 256 }, (_, at) => at)), value: noise(999, 7), headers: [] },
  {
    key: bytes('duplicates'),
    value: bytes('v'),
    headers: [
      ['a', bytes('1')],
      ['a', bytes('2')],
      ['a', null],
      ['a', bytes('1')],
      ['b', Buffer.alloc(0)],
      ['c', null],
    ],
  },
  {
    key: bytes('schlüssel-鍵-🔑'),
    value: bytes('wert-値-💎\n\r\t\0'),
    headers: [
      ['größe-大きさ', bytes('ünï')],
      ['binary', noise(300, 9)],
    ],
  },
  { key: bytes('incompressible'), value: noise(LARGE_BYTES, 11), headers: [['size', bytes('1000000')]] },
  { key: bytes('compressible'), value: Buffer.alloc(LARGE_BYTES, 'abcdefghij'), headers: [] },
];

const small = (at: number): Omit<Sample, 'partition' | 'timestamp'> => ({
  key: at % 5 === 0 ? null : bytes(`key-${at % 17}`),
  value: bytes(`value number ${at}, `.repeat(1 + (at % 9))),
  headers: at % 3 === 0 ? [['at', bytes(String(at))]] : [],
});

/** The hard ones on every partition, and many ordinary ones around them. */
export function samples(): Sample[] {
  const all = [
    ...Array.from({ length: 200 }, (_, at) => small(at)),
    ...Array.from({ length: PARTITIONS }, () => every).flat(),
    ...Array.from({ length: 200 }, (_, at) => small(at)),
  ];
  const firstHard = 200;
  return all.map((sample, at) => ({
    ...sample,
    partition:
      at >= firstHard && at < all.length - 200
        ? Math.floor((at - firstHard) / every.length)
        : at % PARTITIONS,
    timestamp: START + at * 7,
  }));
}

/** Those that lines of text can carry: what consoles read and print, with `NULL` for null. */
export function textSamples(): Sample[] {
  const plain = every.filter(({ key, value, headers }) =>
    [key, value, ...headers.map(([, one]) => one)].every(isLine),
  );
  return [...plain, ...Array.from({ length: 100 }, (_, at) => small(at))].map((sample, at) => ({
    ...sample,
    partition: 0,
    timestamp: START + at,
  }));
}

function isLine(data: Buffer | null): boolean {
  return data === null || /^[\x20-\x7e]*$/.test(data.toString('latin1'));
}

function show(data: Buffer | null): string {
  if (data === null) return 'null';
  if (data.length <= SHOWN_BYTES) return `'${data.toString('base64')}'`;
  return `${data.length}:${createHash('sha256').update(data).digest('base64')}`;
}

/** A record as a line; `without` leaves out what the other client does not let one choose. */
export function lineOf(sample: Sample, without: { readonly timestamp?: boolean } = {}): string {
  const { partition, timestamp, key, value, headers } = sample;
  const listed = headers.map(([name, one]) => `${name}=${show(one)}`).join(',');
  return `${partition} ${without.timestamp === true ? '' : timestamp} ${show(key)} ${show(value)} {${listed}}`;
}

/** What our client read, as a sample. */
export function sampleOf(record: ConsumerRecord): Sample {
  const { partition, timestamp, key, value, headers } = record;
  return { partition, timestamp, key, value, headers: [...headers] };
}

/** Lines by partition, in the order of each: partitions have no order among them. */
export function linesOf(list: readonly Sample[], without?: { readonly timestamp?: boolean }): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    list.filter((sample) => sample.partition === partition),
  )
    .flat()
    .map((sample) => lineOf(sample, without));
}
