// snappy as Kafka uses it: the raw format inside xerial's framing (a 16-byte header, then length-prefixed blocks of 32 KiB).
// Some clients write the raw format without framing; both are read.
import type { Codec } from './codec.ts';
import { damaged, messageOf, packageMissing, tooLarge } from './limits.ts';

type SnappyLibrary = Pick<typeof import('snappy'), 'compressSync' | 'uncompressSync'>;

// Results as memory of their own are slower by ten times: the collector runs for each.
const COPIED = { copyOutputData: true };

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const FRAME_HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const BLOCK_BYTES = 32 * 1024;
// A copy element makes at most 64 bytes out of two.
const MAX_RATIO = 64;

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

/** Calls `visit` for every raw block inside the framing; a further frame header between blocks is stepped over, as Java does. */
function eachBlock(data: Buffer, visit: (start: number, end: number) => void): void {
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
    if (length > 0) visit(at, at + length);
    at += length;
  }
}

function compress(library: SnappyLibrary, data: Buffer): Buffer {
  const parts: Buffer[] = [FRAME_HEADER];
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = library.compressSync(data.subarray(at, at + BLOCK_BYTES), COPIED);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function uncompressBlock(library: SnappyLibrary, data: Buffer, start: number, end: number): Buffer {
  try {
    return library.uncompressSync(data.subarray(start, end), COPIED) as Buffer;
  } catch (error) {
    throw damaged('snappy', messageOf(error), error);
  }
}

function decompressFramed(library: SnappyLibrary, data: Buffer, maxBytes: number): Buffer {
  let total = 0;
  eachBlock(data, (start, end) => {
    total += claimedBytes(data, start, end);
  });
  if (total > maxBytes) throw tooLarge('snappy', maxBytes, total);
  const result = Buffer.allocUnsafeSlow(total);
  let at = 0;
  eachBlock(data, (start, end) => {
    at += uncompressBlock(library, data, start, end).copy(result, at);
  });
  return at === total ? result : result.subarray(0, at);
}

function decompressRaw(library: SnappyLibrary, data: Buffer, maxBytes: number): Buffer {
  const claimed = claimedBytes(data, 0, data.length);
  if (claimed > maxBytes) throw tooLarge('snappy', maxBytes, claimed);
  return uncompressBlock(library, data, 0, data.length);
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
    compress: (data) => compress(library, data),
    decompress: (data, maxBytes) =>
      isFramed(data) ? decompressFramed(library, data, maxBytes) : decompressRaw(library, data, maxBytes),
  };
}
