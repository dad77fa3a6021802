import { describe, expect, it } from '@jest/globals';
import { drawn } from './kinds.ts';
import { plant } from './planted/plant.ts';
import { replayCommand, reportFailure } from './report.ts';
import { fewer, shorter, shrink } from './shrink.ts';

const FOREVER = { tries: 10_000, isOver: () => false };

describe('shrink', () => {
  const smaller = (list: readonly number[]): Iterable<number[]> => shorter(list);

  it('leaves out all that the failure does not need', async () => {
    const list = Array.from({ length: 100 }, (_, at) => at);
    const fails = (some: readonly number[]): Promise<boolean> =>
      Promise.resolve(some.includes(17) && some.includes(80));
    const { scenario } = await shrink<readonly number[]>(list, smaller, fails, FOREVER);
    expect(scenario).toEqual([17, 80]);
  });

  it('stops in time', async () => {
    let calls = 0;
    const fails = (): Promise<boolean> => Promise.resolve(++calls > 0);
    const { tries } = await shrink<readonly number[]>([1, 2, 3, 4, 5], smaller, fails, {
      tries: 2,
      isOver: () => false,
    });
    expect(tries).toBe(2);
    const over = await shrink<readonly number[]>([1, 2, 3], smaller, fails, {
      tries: 99,
      isOver: () => true,
    });
    expect(over).toEqual({ scenario: [1, 2, 3], tries: 0 });
  });

  it('knows shorter lists, and smaller numbers', () => {
    expect([...shorter([1, 2])]).toEqual([[2], [1]]);
    expect([...shorter([1], 1)]).toEqual([]);
    expect([...fewer(8, 1)]).toEqual([4, 6, 7]);
    expect([...fewer(1, 1)]).toEqual([]);
  });
});

describe('the report of a seed that fails', () => {
  it('has the command, a scenario that is smaller and fails alike, and the events that show it', async () => {
    const remove = plant('forget-paused');
    try {
      const failing = drawn('clients', 1);
      const played = await failing.run();
      const report = await reportFailure('clients', 1, failing, played, { tries: 60, isOver: () => false });
      expect(report).toContain(replayCommand('clients', 1));
      expect(report).toMatch(/paused-poll: claim epoch .* is paused/);
      expect(report).toMatch(/"kind":"paused"/);
      const [, json] = /tries: (\{.*\})\n/.exec(report)!;
      expect(json!.length).toBeLessThan(JSON.stringify(failing.scenario).length / 2);
    } finally {
      remove();
    }
  }, 300_000);
});
