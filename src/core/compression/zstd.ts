// zstd by Node itself where it has it (22.15 and later), else by the optional peer `@bokuweb/zstd-wasm`, which is given threads of its own.
import * as zlib from 'node:zlib';
import type { Codec } from './codec.ts';
import {
  allowance,
  chunkBytes,
  damaged,
  isOutputTooLarge,
  messageOf,
  packageMissing,
  tooLarge,
} from './limits.ts';
import { zstdFrames, type ZstdFrame } from './zstd-frame.ts';
import { startZstdThreads } from './zstd-threads.ts';

const PACKAGE = '@bokuweb/zstd-wasm';
const LEVEL = 3;
// ZSTD_c_compressionLevel, which the oldest supported Node has no name for.
const LEVEL_PARAMETER = 100;
// ZSTD_error_dstSize_tooSmall, as the package puts it into its messages.
const TOO_SMALL = 'code -70';
// Writers make one frame of a batch; a thousand may be a joke, but a hundred thousand would be a stall.
const MAX_FRAMES = 1000;
// What is done in the caller's turn: less than a millisecond at the levels that are made for speed.
const COMPRESSED_AT_ONCE_BYTES = 16 * 1024;
const DECOMPRESSED_AT_ONCE_BYTES = 256 * 1024;
const FAST_LEVELS = 9;
const SLOW_AT_ONCE_BYTES = 1024;

type ZstdLibrary = Pick<typeof import('@bokuweb/zstd-wasm'), 'init' | 'compress' | 'decompress'>;
type Callback = (error: Error | null, result: Buffer) => void;
interface CompressOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly chunkSize: number;
}
interface DecompressOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

// The types here are those of the oldest supported Node.
interface ZlibWithZstd {
  zstdCompressSync?: (data: Buffer, options: CompressOptions) => Buffer;
  zstdCompress?: (data: Buffer, options: CompressOptions, callback: Callback) => void;
  zstdDecompressSync?: (data: Buffer, options: DecompressOptions) => Buffer;
  zstdDecompress?: (data: Buffer, options: DecompressOptions, callback: Callback) => void;
}

/** What does the work; a decoder takes one frame of at most `room` bytes, and throws whatever it throws. */
interface Engine {
  compress(data: Buffer, level: number): Buffer;
  compressAside(data: Buffer, level: number): Promise<Buffer>;
  decode(frame: Buffer, room: number): Buffer;
  decodeAside(frame: Buffer, room: number): Promise<Buffer>;
  isOutOfRoom(error: unknown): boolean;
}

/** Frames one after the other, none decompressed yet: not every decoder goes on to a second frame. */
interface Plan {
  readonly frames: readonly ZstdFrame[];
  readonly allowed: number;
  /** The most that comes out of it. */
  readonly bound: number;
}

/** Checks all that the frames claim. */
function planOf(data: Buffer, maxBytes: number): Plan {
  const allowed = allowance(data.length, maxBytes);
  const frames: ZstdFrame[] = [];
  let claimed = 0;
  let bound = 0;
  for (const frame of zstdFrames(data)) {
    if (frame.isExact) claimed += frame.size;
    bound += frame.size;
    if (frame.size > 0) frames.push(frame);
    if (frames.length > MAX_FRAMES) throw damaged('zstd', `it has more than ${MAX_FRAMES} frames`);
  }
  if (claimed > allowed) throw tooLarge('zstd', allowed, claimed);
  return { frames, allowed, bound };
}

/** The parts of a batch as they are decompressed. */
class Parts {
  private readonly parts: Buffer[] = [];
  private left: number;
  private readonly engine: Engine;
  private readonly allowed: number;

  constructor(engine: Engine, { allowed }: Plan) {
    this.engine = engine;
    this.allowed = allowed;
    this.left = allowed;
  }

  /** The room for the next frame. */
  roomFor({ size }: ZstdFrame): number {
    if (this.left === 0) throw tooLarge('zstd', this.allowed);
    return Math.min(size, this.left);
  }

  add(part: Buffer): void {
    this.left -= part.length;
    this.parts.push(part);
  }

  failure({ size }: ZstdFrame, error: unknown): Error {
    if (!this.engine.isOutOfRoom(error)) return damaged('zstd', messageOf(error), error);
    return size > this.left
      ? tooLarge('zstd', this.allowed)
      : damaged('zstd', 'it is larger than it claims', error);
  }

  whole(): Buffer {
    return this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
  }
}

function decode(engine: Engine, data: Buffer, plan: Plan): Buffer {
  const parts = new Parts(engine, plan);
  for (const frame of plan.frames) {
    const room = parts.roomFor(frame);
    try {
      parts.add(engine.decode(data.subarray(frame.start, frame.end), room));
    } catch (error) {
      throw parts.failure(frame, error);
    }
  }
  return parts.whole();
}

async function decodeAside(engine: Engine, data: Buffer, plan: Plan): Promise<Buffer> {
  const parts = new Parts(engine, plan);
  for (const frame of plan.frames) {
    const room = parts.roomFor(frame);
    try {
      parts.add(await engine.decodeAside(data.subarray(frame.start, frame.end), room));
    } catch (error) {
      throw parts.failure(frame, error);
    }
  }
  return parts.whole();
}

function codecOf(engine: Engine): Codec {
  return {
    name: 'zstd',
    id: 4,
    isThreaded: true,
    compress: (data, level = LEVEL) => engine.compress(data, level),
    decompress: (data, maxBytes) => decode(engine, data, planOf(data, maxBytes)),
    compressAside: (data, level = LEVEL) =>
      data.length <= (level > FAST_LEVELS ? SLOW_AT_ONCE_BYTES : COMPRESSED_AT_ONCE_BYTES)
        ? engine.compress(data, level)
        : engine.compressAside(data, level),
    decompressAside: (data, maxBytes) => {
      const plan = planOf(data, maxBytes);
      return plan.bound <= DECOMPRESSED_AT_ONCE_BYTES
        ? decode(engine, data, plan)
        : decodeAside(engine, data, plan);
    },
  };
}

/** zstd by Node itself, where it has it. */
export function builtInZstd(): Codec | undefined {
  const { zstdCompressSync, zstdCompress, zstdDecompressSync, zstdDecompress } = zlib as ZlibWithZstd;
  if (
    zstdCompressSync === undefined ||
    zstdCompress === undefined ||
    zstdDecompressSync === undefined ||
    zstdDecompress === undefined
  )
    return undefined;
  const packing = (data: Buffer, level: number): CompressOptions => ({
    params: { [LEVEL_PARAMETER]: level },
    chunkSize: chunkBytes(data.length),
  });
  const unpacking = (room: number): DecompressOptions => ({
    maxOutputLength: room,
    chunkSize: chunkBytes(room),
  });
  return codecOf({
    compress: (data, level) => zstdCompressSync(data, packing(data, level)),
    compressAside: (data, level) => aside((callback) => zstdCompress(data, packing(data, level), callback)),
    decode: (frame, room) => zstdDecompressSync(frame, unpacking(room)),
    decodeAside: (frame, room) => aside((callback) => zstdDecompress(frame, unpacking(room), callback)),
    isOutOfRoom: isOutputTooLarge,
  });
}

function aside(begin: (callback: Callback) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    begin((error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
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
  const threads = startZstdThreads(PACKAGE);
  const compress = (data: Buffer, level: number): Buffer => asBuffer(library.compress(data, level));
  const decodeNow = (frame: Buffer, room: number): Buffer =>
    asBuffer(library.decompress(frame, { defaultHeapSize: room }));
  return codecOf({
    compress,
    compressAside: (data, level) => threads?.run({ data, level }) ?? Promise.resolve(compress(data, level)),
    decode: decodeNow,
    decodeAside: (frame, room) =>
      threads?.run({ data: frame, room }) ?? Promise.resolve(decodeNow(frame, room)),
    isOutOfRoom: (error) => messageOf(error).includes(TOO_SMALL),
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
