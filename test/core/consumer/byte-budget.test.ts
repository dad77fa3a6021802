import { describe, expect, it } from '@jest/globals';
import { fc } from '../../helpers/fast-check.ts';
import { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';

const noRoom = (): void => {};
const MiB = 1024 * 1024;

describe('ByteBudget', () => {
  it('guarantees each reader an even part, or its largest batch where that is more', () => {
    const budget = new ByteBudget(12 * MiB);
    const [one, two] = [budget.join(noRoom), budget.join(noRoom)];
    expect([one.room(0), two.room(0)]).toEqual([6 * MiB, 6 * MiB]);
    two.batchBytes = 8 * MiB;
    expect(two.room(0)).toBe(8 * MiB);
    budget.join(noRoom);
    expect(one.room(0)).toBe(4 * MiB);
  });

  it('lends what is unused to small shares, up to a quarter of the budget', () => {
    const budget = new ByteBudget(8 * MiB);
    const shares = Array.from({ length: 16 }, () => budget.join(noRoom));
    const [busy, second] = [shares[0]!, shares[1]!];
    expect(busy.room(0)).toBe(0.5 * MiB + 2 * MiB);
    busy.take(2.5 * MiB);
    expect(busy.room(0)).toBe(0);
    expect(second.room(0)).toBe(0.5 * MiB);
    budget.reservedBytes = 8 * MiB;
    busy.release(1 * MiB);
    expect(busy.room(0)).toBe(0);
    budget.reservedBytes = 0;
    expect(busy.room(0)).toBe(1 * MiB);
    expect(busy.room(0.3 * MiB)).toBe(0);
    expect(second.room(0.3 * MiB)).toBe(0.5 * MiB);
  });

  it('tells its reader of every release and forgets a share that left', () => {
    const budget = new ByteBudget(100);
    let calls = 0;
    const share = budget.join(() => (calls += 1));
    const other = budget.join(noRoom);
    share.take(30);
    share.release(10);
    expect([calls, budget.usedBytes]).toEqual([1, 20]);
    share.leave();
    expect([budget.usedBytes, other.room(0)]).toEqual([0, 100]);
  });

  it('never grants more than the budget and the borrowable quarter, and never refuses a guarantee', () => {
    const step = fc.record({
      reader: fc.nat(7),
      amount: fc.double({ min: 0, max: 1, noNaN: true }),
      release: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1000, max: 64 * MiB }),
        fc.array(step),
        (readers, total, steps) => {
          const budget = new ByteBudget(total);
          const shares = Array.from({ length: readers }, () => budget.join(noRoom));
          for (const { reader, amount, release } of steps) {
            const share = shares[reader % readers]!;
            if (release) share.release(Math.floor(share.usedBytes * amount));
            else share.take(Math.floor(share.room(0) * amount));
            const used = shares.reduce((sum, one) => sum + one.usedBytes, 0);
            expect(budget.usedBytes).toBe(used);
            expect(budget.borrowedBytes).toBe(
              shares.reduce((sum, one) => sum + Math.max(0, one.usedBytes - budget.guaranteedBytes), 0),
            );
            expect(used).toBeLessThanOrEqual(total * 1.25);
            for (const one of shares)
              expect(one.usedBytes + one.room(0)).toBeGreaterThanOrEqual(budget.guaranteedBytes);
          }
        },
      ),
    );
  });
});
