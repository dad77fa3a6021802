// The structure of zstd frames (RFC 8878), walked over to know how large they can become before any memory is taken. Only an encoder that
// saw all of its input writes the size down; Java's does not.
import { damaged } from './limits.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;
const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;

/** One frame: where it lies and the most it can become. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** Bytes after decompression: exact when `isExact`, else the most that its blocks can hold. */
  readonly size: number;
  readonly isExact: boolean;
}

/** The frames in `data`, skippable ones left out, each checked when it is reached. @throws CompressionError when the structure is damaged. */
export function* zstdFrames(data: Buffer): Generator<ZstdFrame, void, undefined> {
  let at = 0;
  while (at < data.length) {
    need(data, at, 8);
    const magic = data.readUInt32LE(at);
    if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
      const length = data.readUInt32LE(at + 4);
      need(data, at + 8, length);
      at += 8 + length;
      continue;
    }
    if (magic !== MAGIC) throw damaged('zstd', 'it is no zstd frame');
    const frame = readFrame(data, at);
    yield frame;
    at = frame.end;
  }
}

function readFrame(data: Buffer, start: number): ZstdFrame {
  const descriptor = data[start + 4]!;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = start + 5;
  const maxBlockBytes = isSingle ? MAX_BLOCK_BYTES : Math.min(MAX_BLOCK_BYTES, windowBytes(data[at++]!));
  at += [0, 1, 2, 4][descriptor & 3]!;
  need(data, at, sizeBytes);
  const claimed = readSize(data, at, sizeBytes);
  at += sizeBytes;
  let bound = 0;
  for (let isLast = false; !isLast;) {
    need(data, at, 3);
    const header = data.readUIntLE(at, 3);
    isLast = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type > COMPRESSED) throw damaged('zstd', 'a block is of an unknown type');
    if (size > MAX_BLOCK_BYTES) throw damaged('zstd', `a block claims ${size} bytes`);
    bound += type === RAW || type === RLE ? size : maxBlockBytes;
    at += 3;
    const length = type === RLE ? 1 : size;
    need(data, at, length);
    at += length;
  }
  const checksumBytes = (descriptor & 0x04) !== 0 ? 4 : 0;
  need(data, at, checksumBytes);
  if (claimed > bound)
    throw damaged('zstd', `its blocks hold at most ${bound} of the ${claimed} bytes it claims`);
  return { start, end: at + checksumBytes, size: claimed < 0 ? bound : claimed, isExact: claimed >= 0 };
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** The size that the frame claims, -1 for none. */
function readSize(data: Buffer, at: number, bytes: number): number {
  if (bytes === 0) return -1;
  if (bytes === 8) return data.readUInt32LE(at) + data.readUInt32LE(at + 4) * 0x1_0000_0000;
  return data.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

function need(data: Buffer, at: number, bytes: number): void {
  if (bytes > data.length - at) throw damaged('zstd', 'it is cut off');
}
