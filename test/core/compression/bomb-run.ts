// Prints by how much decompressing one bomb raised the peak memory of this process, and what it was answered: `bomb-run.ts NAME [at-once]`.
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../src/core/compression/codec.ts';
import { codecById, prepareCodec } from '../../../src/core/compression/registry.ts';
import {
  BOMB_BYTES,
  gzipBomb,
  honestZstdBomb,
  lz4Bomb,
  smallGzipBomb,
  snappyLie,
  zstdBomb,
} from './bombs.ts';

const bombs: Record<string, [codec: number, make: () => Buffer]> = {
  gzip: [1, () => gzipBomb(BOMB_BYTES)],
  'lying gzip': [1, () => smallGzipBomb(10)],
  snappy: [2, () => snappyLie(BOMB_BYTES)],
  lz4: [3, lz4Bomb],
  zstd: [4, zstdBomb],
  'honest zstd': [4, honestZstdBomb],
};

const [id, make] = bombs[process.argv[2]!]!;
const atOnce = process.argv[3] === 'at-once';
await prepareCodec(id);
const codec = codecById(id);
const warm = codec.compress(Buffer.alloc(1_000_000));
await codec.decompressAside(warm, 1_000_000);
const bomb = make();
const before = process.resourceUsage().maxRSS;
const begun = performance.now();
let answer = 'accepted';
try {
  if (atOnce) codec.decompress(bomb, DEFAULT_MAX_DECOMPRESSED_BYTES);
  else await codec.decompressAside(bomb, DEFAULT_MAX_DECOMPRESSED_BYTES);
} catch (error) {
  answer = `${(error as Error).name}: ${(error as Error).message}`;
}
const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
console.log(JSON.stringify({ answer, grownMiB, bombBytes: bomb.length, ms: performance.now() - begun }));
