import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { codecById, prepareCodec } from '../../../src/core/compression/registry.ts';
import { CompressionError } from '../../../src/errors.ts';
import { gzipBomb, honestZstdBomb, lz4Bomb, snappyLie, zstdBomb } from './bombs.ts';

const MIB = 1024 * 1024;
const execute = promisify(execFile);

interface Run {
  answer: string;
  grownMiB: number;
}

async function run(...names: readonly string[]): Promise<Run> {
  const arguments_ = ['--import', 'tsx', 'test/core/compression/bomb-run.ts', ...names];
  const { stdout } = await execute(process.execPath, arguments_, { encoding: 'utf8' });
  return JSON.parse(stdout) as Run;
}

describe('bombs', () => {
  beforeAll(async () => {
    for (const id of [2, 3, 4]) await prepareCodec(id);
  });

  it.each([
    [['gzip']],
    [['lying gzip']],
    [['snappy']],
    [['lz4']],
    [['zstd']],
    [['honest zstd']],
    [['lying gzip', 'at-once']],
    [['zstd', 'at-once']],
  ])('of %j are refused for less than 50 MB of memory, at the default bound', async (names) => {
    const { answer, grownMiB } = await run(...names);
    expect(answer).toMatch(/^CompressionError: /);
    expect(grownMiB).toBeLessThan(50);
  });

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
