// The structure of LZ4 frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
// Frames are taken apart here and their blocks handed to the library one by one: that bounds the memory that a frame can ask for, and is
// several times faster than the library's own way with frames.
import { damaged } from './limits.ts';

const MAGIC = 0x184d2204;
const FLAG = {
  dictionary: 0x01,
  contentChecksum: 0x04,
  contentSize: 0x08,
  blockChecksum: 0x10,
  independent: 0x20,
  versionMask: 0xc0,
};
const VERSION = 0x40;
/** The bit of a block's length that says it is stored as it is. */
export const STORED = 0x8000_0000;
// One input byte makes at most 255 bytes of output.
const MAX_RATIO = 255;

/** What is known of a run of frames before anything is decompressed. */
export interface Lz4Frames {
  /** Bytes after decompression: exact, or an upper bound where that was enough. */
  readonly size: number;
  /** Whether each block can be decompressed alone, with no checksum to compare. */
  readonly isPlain: boolean;
}

/** Visits each block: `maxBytes` is the most it can become. */
export type BlockVisitor = (start: number, end: number, isStored: boolean, maxBytes: number) => void;

/**
 * Walks over the frames in `data` and adds up how large they become; exactly when the upper bound is more than `enough`.
 * @throws CompressionError when the structure is damaged.
 */
export function measureLz4(data: Buffer, enough: number): Lz4Frames {
  let bound = 0;
  const isPlain = eachLz4Block(data, (_start, _end, _isStored, maxBytes) => {
    bound += maxBytes;
  });
  if (bound <= enough) return { size: bound, isPlain };
  let size = 0;
  eachLz4Block(data, (start, end, isStored) => {
    size += isStored ? end - start : sizeOfBlock(data, start, end);
  });
  return { size, isPlain };
}

/** Calls `visit` for each block of all frames in `data`; the result is whether all of them are plain, see {@link Lz4Frames}. */
export function eachLz4Block(data: Buffer, visit: BlockVisitor): boolean {
  let isPlain = true;
  let at = 0;
  do {
    need(data, at, 7);
    if (data.readUInt32LE(at) !== MAGIC) throw damaged('lz4', 'it is no LZ4 frame');
    const flags = data[at + 4]!;
    if ((flags & FLAG.versionMask) !== VERSION) throw damaged('lz4', 'its frame version is unknown');
    const sizeCode = (data[at + 5]! >> 4) & 7;
    if (sizeCode < 4) throw damaged('lz4', 'its block size is unknown');
    const checksummed = FLAG.contentChecksum | FLAG.blockChecksum | FLAG.dictionary;
    if ((flags & FLAG.independent) === 0 || (flags & checksummed) !== 0) isPlain = false;
    at += 7 + ((flags & FLAG.contentSize) !== 0 ? 8 : 0) + ((flags & FLAG.dictionary) !== 0 ? 4 : 0);
    at = eachBlockOfFrame(data, at, flags, 1 << (2 * sizeCode + 8), visit);
  } while (at < data.length);
  if (at > data.length) throw damaged('lz4', 'its checksum is cut off');
  return isPlain;
}

function eachBlockOfFrame(
  data: Buffer,
  at: number,
  flags: number,
  maxBlockBytes: number,
  visit: BlockVisitor,
): number {
  const checksumBytes = (flags & FLAG.blockChecksum) !== 0 ? 4 : 0;
  for (;;) {
    need(data, at, 4);
    const header = data.readUInt32LE(at);
    at += 4;
    if (header === 0) return at + ((flags & FLAG.contentChecksum) !== 0 ? 4 : 0);
    const isStored = header >= STORED;
    const length = isStored ? header - STORED : header;
    need(data, at, length);
    if (length > maxBlockBytes)
      throw damaged('lz4', `a block has ${length} bytes, over the frame's ${maxBlockBytes}`);
    visit(at, at + length, isStored, isStored ? length : Math.min(maxBlockBytes, length * MAX_RATIO));
    at += length + checksumBytes;
  }
}

/** Adds up the literals and matches of a compressed block. */
function sizeOfBlock(data: Buffer, at: number, end: number): number {
  let total = 0;
  while (at < end) {
    const token = data[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) literals += more = data[at++]!;
    }
    total += literals;
    at += literals;
    if (at >= end) break;
    at += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more = 255;
      while (more === 255 && at < end) match += more = data[at++]!;
    }
    total += match;
  }
  return total;
}

function need(data: Buffer, at: number, bytes: number): void {
  if (bytes > data.length - at) throw damaged('lz4', 'it is cut off');
}
