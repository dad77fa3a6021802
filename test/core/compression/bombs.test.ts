import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { codecById, prepareCodec } from '../../../src/core/compression/registry.ts';
import { CompressionError } from '../../../src/errors.ts';
import { gzipBomb, honestZstdBomb, lz4Bomb, snappyLie, zstdBomb } from './bombs.ts';

const MIB = 1024 * 1024;

interface Run {
  answer: string;
  grownMiB: number;
}

function run(name: string): Run {
  const arguments_ = ['--import', 'tsx', 'test/core/compression/bomb-run.ts', name];
  return JSON.parse(execFileSync(process.execPath, arguments_, { encoding: 'utf8' })) as Run;
}

describe('bombs', () => {
  beforeAll(async () => {
    for (const id of [2, 3, 4]) await prepareCodec(id);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd', 'honest zstd'])(
    'of %s are refused for less than 50 MB of memory, at the default bound',
    (name) => {
      const { answer, grownMiB } = run(name);
      expect(answer).toMatch(/^CompressionError: /);
      expect(grownMiB).toBeLessThan(50);
    },
  );

  it.each([
    ['gzip that claims 10 bytes', 1, gzipBomb(10)],
    ['snappy that claims 200 KB in 10', 2, snappyLie(200_000)],
    ['snappy that claims 4 GB', 2, snappyLie(2 ** 32 - 1)],
    ['snappy with a length of 2^35', 2, snappyLie(2 ** 35)],
    ['lz4', 3, lz4Bomb()],
    ['zstd that claims nothing', 4, zstdBomb()],
    ['zstd that says so', 4, honestZstdBomb()],
  ])('of %s are refused at a small bound', (_name, id, bomb) => {
    expect(() => codecById(id).decompress(bomb, MIB)).toThrow(CompressionError);
  });
});
