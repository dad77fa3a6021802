// zstd by Node itself where it has it (22.15 and later), else by the optional peer `@bokuweb/zstd-wasm`.
import * as zlib from 'node:zlib';
import type { Codec } from './codec.ts';
import { allowance, damaged, isOutputTooLarge, messageOf, packageMissing, tooLarge } from './limits.ts';
import { zstdFrames } from './zstd-frame.ts';

const PACKAGE = '@bokuweb/zstd-wasm';
const LEVEL = 3;
// ZSTD_error_dstSize_tooSmall, as the package puts it into its messages.
const TOO_SMALL = 'code -70';
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

type ZstdLibrary = Pick<typeof import('@bokuweb/zstd-wasm'), 'init' | 'compress' | 'decompress'>;

// The types here are those of the oldest supported Node.
interface ZlibWithZstd {
  zstdCompressSync?: (data: Buffer) => Buffer;
  zstdDecompressSync?: (data: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer;
}

/** Decompresses one frame into at most `room` bytes; throws {@link OutOfRoom} or whatever the library throws. */
type FrameDecoder = (frame: Buffer, room: number) => Buffer;

class OutOfRoom extends Error {}

/** Checks all that the frames claim, then decompresses one after the other: not every decoder goes on to a second frame. */
function decompressFrames(data: Buffer, maxBytes: number, decode: FrameDecoder): Buffer {
  const allowed = allowance(data.length, maxBytes);
  let claimed = 0;
  for (const frame of zstdFrames(data)) if (frame.isExact) claimed += frame.size;
  if (claimed > allowed) throw tooLarge('zstd', allowed, claimed);
  const parts: Buffer[] = [];
  let left = allowed;
  for (const { start, end, size } of zstdFrames(data)) {
    if (size === 0) continue;
    if (left === 0) throw tooLarge('zstd', allowed);
    const part = decodeFrame(decode, data.subarray(start, end), size, left);
    if (part === undefined) throw tooLarge('zstd', allowed);
    left -= part.length;
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Undefined when the frame would grow past `left`. */
function decodeFrame(decode: FrameDecoder, frame: Buffer, size: number, left: number): Buffer | undefined {
  try {
    return decode(frame, Math.min(size, left));
  } catch (error) {
    if (error instanceof OutOfRoom && size > left) return undefined;
    throw damaged('zstd', messageOf(error), error);
  }
}

/** zstd by Node itself, where it has it. */
export function builtInZstd(): Codec | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  const decode: FrameDecoder = (frame, room) => {
    const chunkSize = Math.min(Math.max(room, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
    try {
      return zstdDecompressSync(frame, { maxOutputLength: room, chunkSize });
    } catch (error) {
      throw isOutputTooLarge(error) ? new OutOfRoom('it is larger than it claims', { cause: error }) : error;
    }
  };
  return {
    name: 'zstd',
    id: 4,
    compress: (data) => zstdCompressSync(data),
    decompress: (data, maxBytes) => decompressFrames(data, maxBytes, decode),
  };
}

/** Loads the optional peer package `@bokuweb/zstd-wasm`, for a Node that has no zstd of its own. */
export async function loadZstd(): Promise<Codec> {
  let library: ZstdLibrary;
  try {
    library = await import('@bokuweb/zstd-wasm');
    await library.init();
  } catch (error) {
    throw packageMissing('zstd', PACKAGE, error);
  }
  const decode: FrameDecoder = (frame, room) => {
    try {
      return asBuffer(library.decompress(frame, { defaultHeapSize: room }));
    } catch (error) {
      throw messageOf(error).includes(TOO_SMALL)
        ? new OutOfRoom('it is larger than it claims', { cause: error })
        : error;
    }
  };
  return {
    name: 'zstd',
    id: 4,
    compress: (data) => asBuffer(library.compress(data, LEVEL)),
    decompress: (data, maxBytes) => decompressFrames(data, maxBytes, decode),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
