import { beforeAll, describe, expect, it } from '@jest/globals';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { codecByName, prepareCodec } from '../../../src/core/compression/registry.ts';
import { CompressionError } from '../../../src/errors.ts';

const MAX = 64 * 1024 * 1024;
const lines = Buffer.from('some line of text, number 12345\n'.repeat(10_000));

beforeAll(async () => {
  for (const id of [2, 3, 4]) await prepareCodec(id);
});

describe('snappy', () => {
  const header = Buffer.from('82534e41505059000000000100000001', 'hex');

  it('writes the framing of xerial in blocks of 32 KiB', () => {
    const packed = codecByName('snappy').compress(lines);
    expect(packed.subarray(0, 16).equals(header)).toBe(true);
    const first = packed.readInt32BE(16);
    expect(packed.subarray(20, 20 + first).equals(compressSync(lines.subarray(0, 32 * 1024)))).toBe(true);
  });

  it('reads the raw format that some clients write', () => {
    expect(codecByName('snappy').decompress(compressSync(lines), MAX).equals(lines)).toBe(true);
  });

  it('reads one block of any size, and framings one after the other', () => {
    const block = compressSync(lines);
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    const framed = Buffer.concat([header, length, block]);
    const codec = codecByName('snappy');
    expect(codec.decompress(framed, MAX).equals(lines)).toBe(true);
    expect(codec.decompress(Buffer.concat([framed, framed]), MAX)).toHaveLength(2 * lines.length);
  });

  it.each([-1, 2 ** 31 - 1])('refuses a block length of %i', (length) => {
    const bytes = Buffer.concat([header, Buffer.alloc(8)]);
    bytes.writeInt32BE(length, 16);
    expect(() => codecByName('snappy').decompress(bytes, MAX)).toThrow(`claims ${length} of 4 bytes`);
  });
});

describe('lz4', () => {
  it('writes independent blocks of at most 64 KiB, as Java wants them', () => {
    const packed = codecByName('lz4').compress(lines);
    expect(packed.subarray(0, 7).toString('hex')).toBe('04224d18604082');
    expect(packed.readUInt32LE(packed.length - 4)).toBe(0);
  });

  it('stores a block that does not become smaller', () => {
    const noise = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 167) & 0xff));
    const packed = codecByName('lz4').compress(noise);
    expect(packed.readUInt32LE(7)).toBe(0x8000_0000 + 100);
    expect(codecByName('lz4').decompress(packed, MAX).equals(noise)).toBe(true);
  });

  it.each([
    { contentChecksum: true },
    { blockChecksums: true },
    { contentChecksum: true, blockChecksums: true },
    {},
  ])('reads the frames of another writer, with %j', (options) => {
    for (const data of [lines, lines.subarray(0, 10), Buffer.concat(Array<Buffer>(20).fill(lines))])
      expect(codecByName('lz4').decompress(compressFrameSync(data, options), MAX).equals(data)).toBe(true);
  });

  it('compares the checksums that a frame has', () => {
    for (const options of [{ contentChecksum: true }, { blockChecksums: true }]) {
      const packed = compressFrameSync(lines, options);
      packed[packed.length - (options.contentChecksum === true ? 1 : 5)]! ^= 1;
      expect(() => codecByName('lz4').decompress(packed, MAX)).toThrow(CompressionError);
    }
  });

  it('refuses unknown versions and block sizes', () => {
    const packed = codecByName('lz4').compress(lines);
    for (const [at, value] of [
      [0, 5],
      [4, 0xa0],
      [5, 0x30],
    ] as const) {
      const bytes = Buffer.from(packed);
      bytes[at] = value;
      expect(() => codecByName('lz4').decompress(bytes, MAX)).toThrow(CompressionError);
    }
  });
});

describe('zstd', () => {
  it('steps over skippable frames', () => {
    const skippable = Buffer.from('502a4d1803000000aabbcc', 'hex');
    const packed = Buffer.concat([skippable, codecByName('zstd').compress(lines), skippable]);
    expect(codecByName('zstd').decompress(packed, MAX).equals(lines)).toBe(true);
  });

  it('refuses a claim that its blocks cannot hold', () => {
    const bytes = Buffer.from('28b52ffd800000000000' + '010000', 'hex');
    bytes.writeUInt32LE(1000, 6);
    expect(() => codecByName('zstd').decompress(bytes, MAX)).toThrow('at most 0 of the 1000 bytes it claims');
  });

  it('refuses a skippable frame of 4 GB', () => {
    const bytes = Buffer.from('502a4d18ffffffff00', 'hex');
    expect(() => codecByName('zstd').decompress(bytes, MAX)).toThrow('cut off');
  });
});
