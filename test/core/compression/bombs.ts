// Compressed bytes that grow to about 1 GB, made without ever holding that much.
import { constants, deflateRawSync } from 'node:zlib';

export const BOMB_BYTES = 1024 ** 3;
const MIB = 1024 * 1024;

/** gzip of 1 MB whose trailer claims `claimed` bytes. */
export function gzipBomb(claimed: number): Buffer {
  return gzipOf(BOMB_BYTES, claimed);
}

/** gzip of 100 KB that grows to 100 MB, and whose trailer claims `claimed` bytes. */
export function smallGzipBomb(claimed: number): Buffer {
  return gzipOf(100 * MIB, claimed);
}

function gzipOf(bytes: number, claimed: number): Buffer {
  // A full flush ends on a byte and forgets what came before, so that the piece can be repeated.
  const piece = deflateRawSync(Buffer.alloc(MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const pieces = Array<Buffer>(bytes / MIB).fill(piece);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(claimed, 4);
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
    ...pieces,
    Buffer.from([3, 0]),
    trailer,
  ]);
}

function rleBlocks(count: number): Buffer {
  const block = Buffer.alloc(4);
  block.writeUIntLE(((128 * 1024) << 3) | 2, 0, 3);
  const blocks = Buffer.alloc(count * 4, block);
  blocks[blocks.length - 4]! |= 1;
  return blocks;
}

/** zstd of about 10 KB that grows to 330 MB and does not say so. */
export function zstdBomb(): Buffer {
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), rleBlocks(2600)]);
}

/** zstd that says that it grows to 1 GB, and does. */
export function honestZstdBomb(): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x58, 0, 0, 0, 0]);
  header.writeUInt32LE(BOMB_BYTES, 6);
  return Buffer.concat([header, rleBlocks(BOMB_BYTES / (128 * 1024))]);
}

/** LZ4 of 4 MB that grows to 1 GB: each block is one literal and a match of the rest. */
export function lz4Bomb(): Buffer {
  const block = Buffer.concat([
    Buffer.from([0x1f, 0, 1, 0]),
    Buffer.alloc(256, 0xff),
    Buffer.from([0, 0x50, 0, 0, 0, 0, 0]),
  ]);
  const framed = Buffer.concat([Buffer.alloc(4), block]);
  framed.writeUInt32LE(block.length);
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]),
    Buffer.alloc(framed.length * 16_384, framed),
    Buffer.alloc(4),
  ]);
}

/** Raw snappy that claims `claimed` bytes in about 10 KB. */
export function snappyLie(claimed: number): Buffer {
  const bytes: number[] = [];
  let rest = claimed;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.concat([Buffer.from([...bytes, rest]), Buffer.alloc(10_000)]);
}
