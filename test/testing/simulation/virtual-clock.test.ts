import { describe, expect, it } from '@jest/globals';
import { delay } from '../../../src/core/clock.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

describe('VirtualClock', () => {
  it('runs timers by due time, then by creation, each after all reactions to the one before', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${what}@${clock.now()}`);
    clock.setTimeout(() => {
      note('b');
      void Promise.resolve()
        .then(() => undefined)
        .then(() => note('b reaction'));
      process.nextTick(() => note('b tick'));
      clock.defer(() => note('b deferred'));
    }, 10);
    clock.setTimeout(() => note('c'), 10);
    clock.setTimeout(() => note('a'), 5);
    clock.defer(() => note('deferred'));
    await clock.advance(10);
    expect(seen).toEqual([
      'deferred@0',
      'a@5',
      'b@10',
      'b tick@10',
      'b reaction@10',
      'c@10',
      'b deferred@10',
    ]);
  });

  it('moves no time by itself and leaves it where it was told', async () => {
    const clock = new VirtualClock({ wallStartMs: 1000 });
    let fired = 0;
    clock.setTimeout(() => fired++, 101);
    await clock.advance(100);
    expect([clock.now(), clock.wallNow(), fired]).toEqual([100, 1100, 0]);
    await clock.advance(1);
    expect(fired).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('follows chains of promises and timers', async () => {
    const clock = new VirtualClock();
    const chain = (async () => {
      let sum = 0;
      for (let step = 0; step < 500; step++) {
        await delay(clock, 3);
        sum += step;
      }
      return sum;
    })();
    expect(await clock.run(chain)).toBe(124_750);
    expect(clock.now()).toBe(1500);
  });

  it('stops at the moment a condition holds', async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.setTimeout(tick, 1);
    };
    tick();
    await clock.runUntil(() => ticks === 42);
    expect(clock.now()).toBe(41);
    await expect(clock.runUntil(() => false, 10)).rejects.toThrow(/limit of 10 simulated ms/);
    await expect(clock.runUntilIdle(10)).rejects.toThrow(/1 timers left/);
  });

  it('says when nothing can make a condition hold any more', async () => {
    const clock = new VirtualClock();
    await expect(clock.runUntil(() => false)).rejects.toThrow(/no timer is left/);
  });

  it('rejects with what a timer throws, and with what a promise rejects with', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {
      throw new Error('from a timer');
    }, 1);
    await expect(clock.advance(5)).rejects.toThrow('from a timer');
    expect(clock.now()).toBe(1);
    await expect(clock.run(Promise.reject(new Error('from a promise')))).rejects.toThrow('from a promise');
  });

  it('refuses two movers at once, NaN and negative durations', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toThrow(/two calls/);
    await first;
    await expect(clock.advance(-1)).rejects.toThrow(/not a duration/);
    expect(() => clock.setTimeout(() => {}, NaN)).toThrow(/NaN/);
  });

  it('gives up on work that never lets time pass', async () => {
    const clock = new VirtualClock();
    const again = (): void => clock.defer(again);
    again();
    await expect(clock.advance(1)).rejects.toThrow(/follow each other for ever/);
  });

  it('forgets cancelled timers without waiting for them', async () => {
    const clock = new VirtualClock();
    let fired = 0;
    const timers = Array.from({ length: 10_000 }, (_, at) =>
      clock.setTimeout(() => fired++, (at * 7919) % 10_007),
    );
    timers.forEach((timer, at) => {
      if (at % 10 !== 0) timer.cancel();
      if (at % 20 !== 0) timer.cancel();
    });
    expect(clock.pendingTimers).toBe(500);
    await clock.runUntilIdle();
    expect(fired).toBe(500);
  });

  it('runs a hundred thousand timers in real time that nobody notices', async () => {
    const clock = new VirtualClock();
    let left = 100_000;
    const tick = (): void => {
      if (--left > 0) clock.setTimeout(tick, 1);
    };
    clock.setTimeout(tick, 1);
    const before = process.cpuUsage();
    await clock.runUntilIdle();
    expect(clock.now()).toBe(100_000);
    // Of the processor: others may be using it too.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(10_000);
  });
});
