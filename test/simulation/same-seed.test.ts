// The same seed gives the same history, byte for byte, in any process; and nothing of the real clock or of real chance is in it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { sha256, toNdjson } from './history/ndjson.ts';
import { drawn, KINDS } from './kinds.ts';
import { poison, realImmediate } from './poison.ts';

const SEEDS = 4;
const LIMIT_MS = 300_000;

/** Plays the seeds in a process of its own; its lines are `kind seed sha256`. */
async function hashesElsewhere(): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    'scripts/simulate.ts',
    '--seeds',
    String(SEEDS),
    '--hash',
  ]);
  return stdout.split('\n').filter((line) => KINDS.some((kind) => line.startsWith(kind)));
}

describe('a seed', () => {
  it(
    'is the same history in two processes, byte for byte',
    async () => {
      const [one, other] = [await hashesElsewhere(), await hashesElsewhere()];
      expect(one).toHaveLength(SEEDS * KINDS.length);
      expect(other).toEqual(one);
      expect(new Set(one.map((line) => line.split(' ')[2])).size).toBe(one.length);
    },
    LIMIT_MS,
  );

  it.each(KINDS)(
    'uses no real clock, timer or chance: %s',
    async (kind) => {
      const before = toNdjson((await drawn(kind, 3).run()).history);
      const { uses, restore } = poison();
      let poisoned: string;
      try {
        poisoned = toNdjson((await drawn(kind, 3).run({ pump: realImmediate })).history);
      } finally {
        restore();
      }
      expect(uses).toEqual([]);
      expect(sha256(poisoned)).toBe(sha256(before));
    },
    LIMIT_MS,
  );

  it('is another history than the next one', async () => {
    const [one, other] = [await drawn('clients', 7).run(), await drawn('clients', 8).run()];
    expect(toNdjson(one.history)).not.toBe(toNdjson(other.history));
  });
});

describe('the poison', () => {
  it.each([
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['Math.random', () => Math.random()],
    ['performance.now', () => performance.now()],
    ['process.hrtime', () => process.hrtime()],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['setTimeout', () => setTimeout(() => undefined, 1)],
    ['setImmediate', () => setImmediate(() => undefined)],
  ])('forbids %s, and allows it again', (_, use) => {
    const { uses, restore } = poison();
    let error: unknown;
    try {
      use();
    } catch (thrown) {
      error = thrown;
    } finally {
      restore();
    }
    expect(error).toMatchObject({ message: expect.stringContaining('was used in a simulated run') });
    expect(uses).toHaveLength(1);
    use();
  });
});
