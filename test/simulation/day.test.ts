import { describe, expect, it } from '@jest/globals';
import { playDay } from './day.ts';

describe('a long time in a short one', () => {
  it('two hours of a group of three: all records come through, and nothing rebalances', async () => {
    const { sent, rebalances, ...rest } = await playDay(2);
    expect(sent).toBe(72_001);
    expect(rest).toMatchObject({ acked: sent, handed: sent, committed: sent });
    // Three members that come, each after the first in a rebalance of its own, and three that go.
    expect(rebalances).toBeLessThanOrEqual(12);
  }, 300_000);
});
