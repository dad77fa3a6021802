// Prints by how much decompressing one bomb raised the peak memory of this process, and what it was answered: `bomb-run.ts NAME`.
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../src/core/compression/codec.ts';
import { codecById, prepareCodec } from '../../../src/core/compression/registry.ts';
import { BOMB_BYTES, gzipBomb, honestZstdBomb, lz4Bomb, snappyLie, zstdBomb } from './bombs.ts';

const bombs: Record<string, [codec: number, make: () => Buffer]> = {
  gzip: [1, () => gzipBomb(BOMB_BYTES)],
  snappy: [2, () => snappyLie(BOMB_BYTES)],
  lz4: [3, lz4Bomb],
  zstd: [4, zstdBomb],
  'honest zstd': [4, honestZstdBomb],
};

const [codec, make] = bombs[process.argv[2]!]!;
await prepareCodec(codec);
codecById(codec).decompress(codecById(codec).compress(Buffer.alloc(100_000)), 1_000_000);
const bomb = make();
const before = process.resourceUsage().maxRSS;
const begun = performance.now();
let answer = 'accepted';
try {
  codecById(codec).decompress(bomb, DEFAULT_MAX_DECOMPRESSED_BYTES);
} catch (error) {
  answer = `${(error as Error).name}: ${(error as Error).message}`;
}
const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
console.log(JSON.stringify({ answer, grownMiB, bombBytes: bomb.length, ms: performance.now() - begun }));
