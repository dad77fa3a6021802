import type { Random } from '../../../src/core/clock.ts';

/** What is done to a frame. */
export type Mutation =
  | 'none'
  | 'flip'
  | 'truncate'
  | 'truncateFramed'
  | 'extend'
  | 'number'
  | 'version'
  | 'key'
  | 'splice'
  | 'repeat';

export const MUTATIONS: readonly Mutation[] = [
  'none',
  'none',
  'none',
  'none',
  'flip',
  'flip',
  'flip',
  'truncate',
  'truncateFramed',
  'extend',
  'number',
  'number',
  'version',
  'key',
  'splice',
  'repeat',
];

const EXTREMES = [-1, 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, -0x80000000, -2, 1_000_000];
const LENGTH_BYTES = 4;
/** Length, key and version, before anything else. */
const HEAD_BYTES = 8;

/** A damaged copy of `frame`; `other` is another frame to take pieces from. */
export function mutate(frame: Buffer, mutation: Mutation, random: Random, other: Buffer): Buffer {
  const at = (bytes: number): number => Math.floor(random() * bytes);
  const copy = Buffer.from(frame);
  switch (mutation) {
    case 'none':
      return copy;
    case 'flip':
      for (let flips = 1 + at(8); flips > 0; flips--) {
        // Rarely in the length: what follows on the connection would never be read.
        const place = random() < 0.02 ? at(copy.length) : LENGTH_BYTES + at(copy.length - LENGTH_BYTES);
        copy[place]! ^= 1 << at(8);
      }
      return copy;
    case 'truncate':
      return copy.subarray(0, at(copy.length));
    case 'truncateFramed':
      return framed(copy.subarray(0, HEAD_BYTES + at(copy.length - HEAD_BYTES)));
    case 'extend':
      return framed(Buffer.concat([copy, other.subarray(0, at(other.length))]));
    case 'number': {
      const value = EXTREMES[at(EXTREMES.length)]!;
      const width = 1 + at(4);
      const place = HEAD_BYTES + at(Math.max(1, copy.length - HEAD_BYTES - width));
      for (let byte = 0; byte < width && place + byte < copy.length; byte++) {
        copy[place + byte] = value >> (8 * (width - 1 - byte));
      }
      return copy;
    }
    case 'version':
      copy.writeInt16BE(at(3) === 0 ? EXTREMES[at(EXTREMES.length)]! % 0x8000 : at(20), 6);
      return copy;
    case 'key':
      copy.writeInt16BE(at(100), 4);
      return copy;
    case 'splice': {
      const from = HEAD_BYTES + at(copy.length - HEAD_BYTES);
      return framed(Buffer.concat([copy.subarray(0, from), other.subarray(Math.min(from, other.length))]));
    }
    case 'repeat': {
      const from = HEAD_BYTES + at(copy.length - HEAD_BYTES);
      const piece = copy.subarray(from, from + 1 + at(64));
      return framed(
        Buffer.concat([
          copy.subarray(0, from),
          ...Array<Buffer>(1 + at(20)).fill(piece),
          copy.subarray(from),
        ]),
      );
    }
  }
}

/** With a length that fits. */
function framed(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.writeInt32BE(copy.length - LENGTH_BYTES, 0);
  return copy;
}
