// LZ4 frames by the optional peer `lz4-napi`: independent blocks of 64 KiB without checksums, as Java's client writes them and insists on.
import type { Codec } from './codec.ts';
import { allowance, damaged, messageOf, packageMissing, tooLarge } from './limits.ts';
import { eachLz4Block, measureLz4, STORED } from './lz4-frame.ts';

const PACKAGE = 'lz4-napi';
// Magic, version 1 with independent blocks, blocks of 64 KiB, and the checksum of these two bytes.
const FRAME_HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
const END_MARK = Buffer.alloc(4);
const BLOCK_BYTES = 64 * 1024;
// The library puts the decompressed size before a block, and wants it there.
const PREFIX_BYTES = 4;
// Three milliseconds of work; a thread for each block of less would take longer than the work.
const AT_ONCE_BYTES = 2 * 1024 * 1024;

type Lz4Library = Pick<
  typeof import('lz4-napi'),
  'compress' | 'compressSync' | 'uncompress' | 'uncompressSync' | 'decompressFrame' | 'decompressFrameSync'
>;

interface Block {
  readonly start: number;
  readonly end: number;
  readonly isStored: boolean;
  readonly maxBytes: number;
}

/** The frames of a batch, checked. */
interface Plan {
  readonly isPlain: boolean;
  /** Where they are not plain, there is no need to know them one by one. */
  readonly blocks: readonly Block[];
  readonly size: number;
}

function planOf(data: Buffer, maxBytes: number): Plan {
  const allowed = allowance(data.length, maxBytes);
  const { size, isPlain } = measureLz4(data, allowed);
  if (size > allowed) throw tooLarge('lz4', allowed, size);
  const blocks: Block[] = [];
  if (isPlain)
    eachLz4Block(data, (start, end, isStored, maxBlockBytes) => {
      blocks.push({ start, end, isStored, maxBytes: maxBlockBytes });
    });
  return { isPlain, blocks, size };
}

/** Puts a block behind the others: `packed` as the library makes it, or as it is where that is not smaller. */
function frame(parts: Buffer[], block: Buffer, packed: Buffer): void {
  const length = packed.length - PREFIX_BYTES;
  if (length < block.length) {
    // The prefix has just the room of the length that the frame wants.
    packed.writeUInt32LE(length, 0);
    parts.push(packed);
    return;
  }
  const header = Buffer.allocUnsafe(4);
  header.writeUInt32LE(STORED + block.length);
  parts.push(header, block);
}

function compress(library: Lz4Library, data: Buffer): Buffer {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = data.subarray(at, at + BLOCK_BYTES);
    frame(parts, block, library.compressSync(block));
  }
  parts.push(END_MARK);
  return Buffer.concat(parts);
}

async function compressSlowly(library: Lz4Library, data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = data.subarray(at, at + BLOCK_BYTES);
    frame(parts, block, await library.compress(block));
  }
  parts.push(END_MARK);
  return Buffer.concat(parts);
}

/** The block as the library wants it. */
function prefixed(data: Buffer, { start, end, maxBytes }: Block): Buffer {
  const block = Buffer.allocUnsafe(PREFIX_BYTES + end - start);
  block.writeUInt32LE(maxBytes);
  data.copy(block, PREFIX_BYTES, start, end);
  return block;
}

/** What comes out, block by block. */
class Output {
  private readonly bytes: Buffer;
  private at = 0;

  constructor({ size }: Plan) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  add(part: Buffer): void {
    if (part.length > this.bytes.length - this.at)
      throw new RangeError('its blocks are larger than they look');
    this.at += part.copy(this.bytes, this.at);
  }

  /** What the upper bound took too much is given back where it is worth a copy. */
  whole(): Buffer {
    const used = this.bytes.subarray(0, this.at);
    return this.at * 2 < this.bytes.length ? Buffer.from(used) : used;
  }
}

function decode(library: Lz4Library, data: Buffer, plan: Plan): Buffer {
  try {
    if (!plan.isPlain) return library.decompressFrameSync(data);
    const output = new Output(plan);
    for (const block of plan.blocks)
      output.add(
        block.isStored
          ? data.subarray(block.start, block.end)
          : library.uncompressSync(prefixed(data, block)),
      );
    return output.whole();
  } catch (error) {
    throw damaged('lz4', messageOf(error), error);
  }
}

async function decodeSlowly(library: Lz4Library, data: Buffer, plan: Plan): Promise<Buffer> {
  try {
    if (!plan.isPlain) return await library.decompressFrame(data);
    const output = new Output(plan);
    for (const block of plan.blocks)
      output.add(
        block.isStored
          ? data.subarray(block.start, block.end)
          : await library.uncompress(prefixed(data, block)),
      );
    return output.whole();
  } catch (error) {
    throw damaged('lz4', messageOf(error), error);
  }
}

/** Loads the optional peer package `lz4-napi`, which ships prebuilt binaries. */
export async function loadLz4(): Promise<Codec> {
  let library: Lz4Library;
  try {
    library = await import('lz4-napi');
  } catch (error) {
    throw packageMissing('lz4', PACKAGE, error);
  }
  return {
    name: 'lz4',
    id: 3,
    isThreaded: false,
    compress: (data) => compress(library, data),
    decompress: (data, maxBytes) => decode(library, data, planOf(data, maxBytes)),
    compressAside: (data) =>
      data.length <= AT_ONCE_BYTES ? compress(library, data) : compressSlowly(library, data),
    decompressAside: (data, maxBytes) => {
      const plan = planOf(data, maxBytes);
      return plan.size <= AT_ONCE_BYTES ? decode(library, data, plan) : decodeSlowly(library, data, plan);
    },
  };
}
