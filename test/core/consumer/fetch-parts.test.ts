// The small parts of fetching: slots, header walk, emission turns, pins.
import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import { EmissionLoop } from '../../../src/core/consumer/emission-loop.ts';
import { FetchSlots } from '../../../src/core/consumer/fetch-slots.ts';
import { findEnd } from '../../../src/core/consumer/fetched-data.ts';
import { FramePin } from '../../../src/core/consumer/frame-pin.ts';
import { run } from './batches.ts';
import { BusyClock } from './harness.ts';

describe('FetchSlots', () => {
  it('lets the first poll wait, ends the second with it, and never lets the last free one wait', () => {
    const slots = new FetchSlots(3, 500);
    expect(slots.take(slots.free(), 1000)).toBe(500);
    expect(slots.take(slots.free(), 1200)).toBe(300);
    expect(slots.take(slots.free(), 1250)).toBe(3);
    expect(slots.free()).toBe(-1);
    slots.release(2);
    expect(slots.free()).toBe(2);
    expect(slots.togetherIn(1490)).toBe(0);
    expect(slots.togetherIn(1498)).toBeGreaterThan(0);
    slots.release(0);
    slots.release(1);
    expect(slots.togetherIn(1500)).toBe(0);
    expect(slots.take(0, 1600)).toBe(500);
  });
});

describe('findEnd', () => {
  it('finds the end of the complete batches', () => {
    const [one, two] = [run(5, 3, { leaderEpoch: 2 }), run(8, 40, { leaderEpoch: 3 })];
    const end = { nextOffset: 48, leaderEpoch: 3, largestBatchBytes: two.length };
    expect(findEnd(Buffer.concat([one, two]))).toEqual(end);
    expect(findEnd(Buffer.concat([one, two, run(48, 5).subarray(0, 70)]))).toEqual(end);
    expect(findEnd(Buffer.concat([one, two.subarray(0, 100)])).nextOffset).toBe(8);
    expect(findEnd(Buffer.alloc(0)).nextOffset).toBe(-1);
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { largestBatchBytes } = findEnd(Buffer.from(bytes));
        expect(largestBatchBytes).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('EmissionLoop', () => {
  const setUp = () => {
    const clock = new BusyClock();
    const loop = new EmissionLoop(clock, 8);
    const log: string[] = [];
    const emitter = (name: string, turns: number, costMs: number) => ({
      queued: false,
      emit: () => {
        log.push(name);
        clock.spend(costMs);
        turns -= 1;
        return turns > 0;
      },
    });
    return { clock, loop, log, emitter };
  };

  it('takes emitters in turn and yields after its slice', async () => {
    const { clock, loop, log, emitter } = setUp();
    const looks: number[] = [];
    loop.onLook = (nowMs) => looks.push(nowMs);
    loop.now(emitter('a', 6, 3));
    loop.now(emitter('b', 2, 3));
    expect(log).toEqual(['a', 'a', 'a']);
    await clock.settle();
    expect(log.join('')).toBe('aaaababa');
    expect(looks.length).toBeGreaterThanOrEqual(3);
  });

  it('runs nothing inside later()', async () => {
    const { clock, loop, log, emitter } = setUp();
    const one = emitter('a', 1, 0);
    loop.later(one);
    loop.later(one);
    expect(log).toEqual([]);
    await clock.settle();
    expect(log).toEqual(['a']);
  });

  it('goes on with the others when one throws', async () => {
    const { clock, loop, log, emitter } = setUp();
    const broken = {
      queued: false,
      emit: (): boolean => {
        throw new Error('a listener threw');
      },
    };
    loop.later(broken);
    loop.later(emitter('a', 2, 0));
    await expect(clock.settle()).rejects.toThrow('a listener threw');
    await clock.settle();
    expect(log).toEqual(['a', 'a']);
  });
});

describe('FramePin', () => {
  it('counts an answer once, until nothing of it is in use, and notices when too much is pinned', () => {
    const budget = new ByteBudget(1000);
    const [one, two] = [new FramePin(budget, 700), new FramePin(budget, 100)];
    one.retain();
    one.retain();
    expect([budget.pinnedBytes, budget.isCrowded]).toEqual([700, false]);
    two.retain();
    expect([budget.pinnedBytes, budget.isCrowded]).toEqual([800, true]);
    one.release();
    expect(budget.isCrowded).toBe(true);
    one.release();
    two.release();
    expect(budget.pinnedBytes).toBe(0);
  });
});
