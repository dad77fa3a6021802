import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compressFrameSync } from 'lz4-napi';
import { CODEC_NAMES, type CodecName } from '../../../src/core/compression/codec.ts';
import { codecByName, codecId, prepareCodec } from '../../../src/core/compression/registry.ts';
import { CompressionError } from '../../../src/errors.ts';
import { gzipBomb, honestZstdBomb, lz4Bomb, snappyLie, zstdBomb } from './bombs.ts';

const MIB = 1024 * 1024;
const MAX = 64 * MIB;

/** JSON lines, which codecs have some work with. */
function lines(bytes: number): Buffer {
  const data = Buffer.allocUnsafe(bytes);
  for (let at = 0, id = 0; at < bytes; id++)
    at += data.write(
      `{"id":${id},"user":"user-${(id * 7_919) % 5_000}","total":${(id * 104_729) % 99_991}}\n`,
      at,
    );
  return data;
}

/** Resolves with the result and how often the event loop went round meanwhile: never more than once for what this thread does. */
async function turnsDuring<T>(work: T | Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let isDone = false;
  const goRound = (): void => {
    if (isDone) return;
    turns++;
    setImmediate(goRound);
  };
  setImmediate(goRound);
  try {
    return { result: await work, turns };
  } finally {
    isDone = true;
  }
}

/** How often the event loop went round during the one of the attempts that left it the most, each with more to do than the last. */
async function mostTurns<T>(work: (megabytes: number) => T | Promise<T>): Promise<number> {
  let most = 0;
  // Another thread may be done before this one gets a processor again, but not every time.
  for (let attempt = 0; attempt < 100 && most < 3; attempt++) {
    const packing = work(Math.min(1 + attempt, 8));
    most = Math.max(most, (await turnsDuring(packing)).turns);
  }
  return most;
}

const refusal = (work: () => Buffer | Promise<Buffer>): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      (result) => `accepted as ${result.length} bytes`,
      (error: unknown) => error,
    );

beforeAll(async () => {
  for (const name of CODEC_NAMES) await prepareCodec(codecId(name));
});

describe.each(CODEC_NAMES)('codec %s, aside', (name) => {
  it.each([0, 1, 1000, 8 * 1024 + 1, 70_000, 300_000, MIB, 5 * MIB])(
    'gives %i bytes back, as the caller would have made them',
    async (length) => {
      const codec = codecByName(name);
      const data = lines(length);
      const packed = await codec.compressAside(data);
      expect(codec.decompress(packed, MAX).equals(data)).toBe(true);
      expect(packed.equals(codec.compress(data))).toBe(true);
      expect((await codec.decompressAside(packed, MAX)).equals(data)).toBe(true);
    },
  );
});

describe.each(['gzip', 'zstd'] as const)('codec %s', (name) => {
  it('lets the event loop go round while it works on megabytes', async () => {
    const codec = codecByName(name);
    const packedOf = new Map<number, Buffer>();
    const data = lines(8 * MIB);
    const packing = codec.compressAside(data.subarray(0, MIB));
    expect(packing).toBeInstanceOf(Promise);
    const unpacking = codec.decompressAside(await packing, MAX);
    expect(unpacking).toBeInstanceOf(Promise);
    expect((await unpacking).equals(data.subarray(0, MIB))).toBe(true);
    expect(
      await mostTurns((megabytes) => codec.compressAside(data.subarray(0, megabytes * MIB))),
    ).toBeGreaterThanOrEqual(3);
    expect(
      await mostTurns((megabytes) => {
        const packed = packedOf.get(megabytes) ?? codec.compress(data.subarray(0, megabytes * MIB));
        packedOf.set(megabytes, packed);
        return codec.decompressAside(packed, MAX);
      }),
    ).toBeGreaterThanOrEqual(3);
  });

  it('does what is small at once', () => {
    const codec = codecByName(name);
    const packed = codec.compressAside(lines(1000));
    expect(packed).toBeInstanceOf(Buffer);
    expect(codec.decompressAside(packed as Buffer, MAX)).toBeInstanceOf(Buffer);
  });

  it('works at several things at a time, each with its own result', async () => {
    const codec = codecByName(name);
    const all = Array.from({ length: 12 }, (_, at) => lines(100_000 + at * 1000));
    const packed = await Promise.all(all.map((data) => Promise.resolve(codec.compressAside(data))));
    const unpacked = await Promise.all(
      packed.map((data) => Promise.resolve(codec.decompressAside(data, MAX))),
    );
    expect(unpacked.every((data, at) => data.equals(all[at]!))).toBe(true);
  });

  it('is smaller at a higher level', async () => {
    const codec = codecByName(name);
    const data = lines(300_000);
    const [low, high] = await Promise.all([codec.compressAside(data, 1), codec.compressAside(data, 9)]);
    expect(high.length).toBeLessThan(low.length);
    expect(high.equals(codec.compress(data, 9))).toBe(true);
    expect(codec.decompress(high, MAX).equals(data)).toBe(true);
  });

  it('refuses damaged bytes, with the same error', async () => {
    const codec = codecByName(name);
    const packed = Buffer.from(await codec.compressAside(lines(MIB)));
    packed.fill(0x55, packed.length >> 1, (packed.length >> 1) + 100);
    const error = await refusal(() => codec.decompressAside(packed, MAX));
    expect(error).toBeInstanceOf(CompressionError);
    expect((error as CompressionError).message).toMatch(new RegExp(`^A ${name} batch is damaged: `));
  });
});

describe('a bomb, aside', () => {
  it.each<[string, CodecName, () => Buffer]>([
    ['gzip that claims 10 bytes', 'gzip', () => gzipBomb(10)],
    ['gzip that says so', 'gzip', () => gzipBomb(2 ** 30)],
    [
      'gzip of two members, the last of them small',
      'gzip',
      () => Buffer.concat([gzipBomb(10), gzipSync('x')]),
    ],
    ['snappy that claims 1 GB', 'snappy', () => snappyLie(2 ** 30)],
    ['snappy that claims 600 KB in 10', 'snappy', () => snappyLie(600_000)],
    ['lz4', 'lz4', lz4Bomb],
    [
      'lz4 with a checksum',
      'lz4',
      () => compressFrameSync(Buffer.alloc(20 * MIB), { contentChecksum: true }),
    ],
    ['zstd that claims nothing', 'zstd', zstdBomb],
    ['zstd that says so', 'zstd', honestZstdBomb],
  ])('of %s is refused', async (_name, name, make) => {
    const bomb = make();
    const error = await refusal(() => codecByName(name).decompressAside(bomb, 16 * MIB));
    expect(error).toBeInstanceOf(CompressionError);
  });

  it('of a hundred thousand frames is refused before the first', async () => {
    const frame = codecByName('zstd').compress(Buffer.from('x'));
    const many = Buffer.alloc(frame.length * 100_000, frame);
    const error = await refusal(() => codecByName('zstd').decompressAside(many, MAX));
    expect(error).toMatchObject({ message: expect.stringContaining('more than 1000 frames') });
  });

  it('of a frame with a lying content size costs nothing', async () => {
    // LZ4 with the flag of a content size, which claims 2^60.
    const frame = compressFrameSync(lines(100_000), { contentChecksum: true });
    const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, frame[4]! | 0x08, frame[5]!]);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(2n ** 60n);
    const lie = Buffer.concat([header, size, frame.subarray(6)]);
    const error = await refusal(() => codecByName('lz4').decompressAside(lie, MAX));
    expect(error).toBeInstanceOf(CompressionError);
  });
});
