import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';

const take = (seed: number | string, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random());
};

describe('seededRandom', () => {
  it('depends on the seed and nothing else', () => {
    expect(take(42, 100)).toEqual(take(42, 100));
    expect(take('a word', 100)).toEqual(take('a word', 100));
    expect(take(42, 5)).toEqual([
      0.456255805445835, 0.5641753580421209, 0.5743777174502611, 0.9649424790404737, 0.8310974128544331,
    ]);
  });

  it('gives unrelated sequences for neighbouring seeds', () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => take(seed, 1)[0]!);
    expect(new Set(firsts).size).toBe(1000);
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(take(2 ** 40, 3)).not.toEqual(take(0, 3));
  });

  it('is spread evenly over [0, 1)', () => {
    const buckets = new Array<number>(16).fill(0);
    const values = take(7, 160_000);
    for (const value of values) buckets[Math.floor(value * 16)]!++;
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
