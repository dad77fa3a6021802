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

type Lz4Library = Pick<typeof import('lz4-napi'), 'compressSync' | 'uncompressSync' | 'decompressFrameSync'>;

function compress(library: Lz4Library, data: Buffer): Buffer {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = data.subarray(at, at + BLOCK_BYTES);
    const packed = library.compressSync(block);
    const length = packed.length - PREFIX_BYTES;
    if (length < block.length) {
      // The prefix has just the room of the length that the frame wants.
      packed.writeUInt32LE(length, 0);
      parts.push(packed);
    } else {
      const header = Buffer.allocUnsafe(4);
      header.writeUInt32LE(STORED + block.length);
      parts.push(header, block);
    }
  }
  parts.push(END_MARK);
  return Buffer.concat(parts);
}

function decompress(library: Lz4Library, data: Buffer, maxBytes: number): Buffer {
  const allowed = allowance(data.length, maxBytes);
  const { size, isPlain } = measureLz4(data, allowed);
  if (size > allowed) throw tooLarge('lz4', allowed, size);
  try {
    return isPlain ? decompressBlocks(library, data, size) : library.decompressFrameSync(data);
  } catch (error) {
    throw damaged('lz4', messageOf(error), error);
  }
}

function decompressBlocks(library: Lz4Library, data: Buffer, size: number): Buffer {
  const result = Buffer.allocUnsafeSlow(size);
  let at = 0;
  eachLz4Block(data, (start, end, isStored, maxBlockBytes) => {
    if (isStored) {
      at += data.copy(result, at, start, end);
      return;
    }
    const block = Buffer.allocUnsafe(PREFIX_BYTES + end - start);
    block.writeUInt32LE(maxBlockBytes);
    data.copy(block, PREFIX_BYTES, start, end);
    const part = library.uncompressSync(block);
    if (part.length > size - at) throw new RangeError('its blocks are larger than they look');
    at += part.copy(result, at);
  });
  // What the upper bound took too much is given back where it is worth a copy.
  return at * 2 < size ? Buffer.from(result.subarray(0, at)) : result.subarray(0, at);
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
    compress: (data) => compress(library, data),
    decompress: (data, maxBytes) => decompress(library, data, maxBytes),
  };
}
