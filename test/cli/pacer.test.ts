import { describe, expect, it } from '@jest/globals';
import { Pacer } from '../../src/cli/pacer.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';

/** Sends as soon as it is due for `forMs`; answers with how many that were. */
async function count(perSecond: number, forMs: number, stepMs: number): Promise<number> {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, perSecond);
  let sent = 0;
  for (let at = 0; at < forMs; at += stepMs) {
    sent = Math.max(sent, pacer.due());
    await clock.advance(stepMs);
  }
  return sent;
}

describe('the pace', () => {
  it.each([7, 100, 1000, 12_345, 100_000])(
    'of %d a second is kept within two per cent',
    async (perSecond) => {
      const sent = await count(perSecond, 10_000, 10);
      expect(Math.abs(sent / (perSecond * 10) - 1)).toBeLessThan(0.02);
    },
  );

  it('lets the first message out at once and says when the next is due', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock, 4);
    expect([pacer.due(), pacer.waitMs(0), pacer.waitMs(1)]).toEqual([1, 0, 250]);
    await clock.advance(100);
    expect([pacer.due(), pacer.waitMs(1)]).toEqual([1, 150]);
    await clock.advance(150);
    expect([pacer.due(), pacer.waitMs(1), pacer.waitMs(2)]).toEqual([2, 0, 250]);
  });

  it('is caught up with after a stand-still', async () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock, 100);
    await clock.advance(5_000);
    expect(pacer.due()).toBe(501);
  });

  it('of -1 has no limit, of 0 no messages', () => {
    const clock = new VirtualClock();
    expect([new Pacer(clock, -1).due(), new Pacer(clock, -1).waitMs(10)]).toEqual([Infinity, 0]);
    expect([new Pacer(clock, 0).due(), new Pacer(clock, 0).waitMs(0)]).toEqual([0, Infinity]);
  });
});
