// snappy as Kafka uses it: the raw format inside xerial's framing (a 16-byte header, then length-prefixed blocks of 32 KiB).
// Some clients write the raw format without framing; both are read.
import type { Codec } from './codec.ts';
import { damaged, messageOf, packageMissing, tooLarge } from './limits.ts';

type SnappyLibrary = Pick<
  typeof import('snappy'),
  'compress' | 'compressSync' | 'uncompress' | 'uncompressSync'
>;

// Results as memory of their own are slower by ten times: the collector runs for each.
const COPIED = { copyOutputData: true };

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const FRAME_HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const BLOCK_BYTES = 32 * 1024;
// A copy element makes at most 64 bytes out of two.
const MAX_RATIO = 64;
// Four milliseconds of work; a thread for each block of less would take longer than the work.
const AT_ONCE_BYTES = 2 * 1024 * 1024;

/** A raw block within the data. */
interface Block {
  readonly start: number;
  readonly end: number;
}

/** The blocks of a batch, and what they claim to become. */
interface Plan {
  readonly blocks: readonly Block[];
  readonly total: number;
}

function isFramed(data: Buffer): boolean {
  return data.length >= FRAME_HEADER.length && MAGIC.compare(data, 0, MAGIC.length) === 0;
}

/** The size that the raw block from `at` to before `end` claims to have once decompressed. */
function claimedBytes(data: Buffer, at: number, end: number): number {
  let size = 0;
  for (let shift = 0, i = at; shift < 35 && i < end; shift += 7, i++) {
    const byte = data[i] ?? 0;
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      if (size > (end - at) * MAX_RATIO)
        throw damaged('snappy', `a block of ${end - at} bytes claims ${size}`);
      return size;
    }
  }
  throw damaged('snappy', 'a block has no valid length');
}

/** The raw blocks inside the framing; a further frame header between blocks is stepped over, as Java does. */
function framedBlocks(data: Buffer): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < data.length) {
    if (data.length - at >= FRAME_HEADER.length && MAGIC.compare(data, at, at + MAGIC.length) === 0) {
      at += FRAME_HEADER.length;
      continue;
    }
    if (data.length - at < 4) throw damaged('snappy', 'a block length is cut off');
    const length = data.readInt32BE(at);
    at += 4;
    if (length < 0 || length > data.length - at)
      throw damaged('snappy', `a block claims ${length} of ${data.length - at} bytes`);
    if (length > 0) blocks.push({ start: at, end: at + length });
    at += length;
  }
  return blocks;
}

/** Checks all that the blocks claim. */
function planOf(data: Buffer, maxBytes: number): Plan {
  const blocks = isFramed(data) ? framedBlocks(data) : [{ start: 0, end: data.length }];
  let total = 0;
  for (const { start, end } of blocks) total += claimedBytes(data, start, end);
  if (total > maxBytes) throw tooLarge('snappy', maxBytes, total);
  return { blocks, total };
}

function frame(parts: Buffer[], block: Buffer): void {
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(block.length);
  parts.push(length, block);
}

function compress(library: SnappyLibrary, data: Buffer): Buffer {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES)
    frame(parts, library.compressSync(data.subarray(at, at + BLOCK_BYTES), COPIED));
  return Buffer.concat(parts);
}

async function compressSlowly(library: SnappyLibrary, data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES)
    frame(parts, await library.compress(data.subarray(at, at + BLOCK_BYTES), COPIED));
  return Buffer.concat(parts);
}

function decode(library: SnappyLibrary, data: Buffer, { blocks, total }: Plan): Buffer {
  const result = Buffer.allocUnsafeSlow(total);
  let at = 0;
  try {
    for (const { start, end } of blocks)
      at += (library.uncompressSync(data.subarray(start, end), COPIED) as Buffer).copy(result, at);
  } catch (error) {
    throw damaged('snappy', messageOf(error), error);
  }
  return at === total ? result : result.subarray(0, at);
}

async function decodeSlowly(library: SnappyLibrary, data: Buffer, { blocks, total }: Plan): Promise<Buffer> {
  const result = Buffer.allocUnsafeSlow(total);
  let at = 0;
  try {
    for (const { start, end } of blocks)
      at += ((await library.uncompress(data.subarray(start, end), COPIED)) as Buffer).copy(result, at);
  } catch (error) {
    throw damaged('snappy', messageOf(error), error);
  }
  return at === total ? result : result.subarray(0, at);
}

/** Loads the package `snappy`, a dependency that ships prebuilt binaries. */
export async function loadSnappy(): Promise<Codec> {
  let library: SnappyLibrary;
  try {
    library = await import('snappy');
  } catch (error) {
    throw packageMissing('snappy', 'snappy', error);
  }
  return {
    name: 'snappy',
    id: 2,
    isThreaded: false,
    compress: (data) => compress(library, data),
    decompress: (data, maxBytes) => decode(library, data, planOf(data, maxBytes)),
    compressAside: (data) =>
      data.length <= AT_ONCE_BYTES ? compress(library, data) : compressSlowly(library, data),
    decompressAside: (data, maxBytes) => {
      const plan = planOf(data, maxBytes);
      return plan.total <= AT_ONCE_BYTES ? decode(library, data, plan) : decodeSlowly(library, data, plan);
    },
  };
}
