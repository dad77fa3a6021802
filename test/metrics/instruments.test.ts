// The parts that numbers are made with.
import { describe, expect, it } from '@jest/globals';
import { Histogram } from '../../src/metrics/histogram.ts';
import { Meter } from '../../src/metrics/meter.ts';
import { instrumentName } from '../../src/metrics/export-metrics.ts';
import { quantities } from '../../src/metrics/quantities.ts';
import { Window } from '../../src/metrics/window.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';

describe('a meter', () => {
  it('counts, and averages over its life', () => {
    const meter = new Meter(0);
    meter.mark(30, 1000);
    meter.mark(30, 2000);
    expect(meter.count).toBe(60);
    expect(meter.meanRate(3000)).toBe(20);
  });

  it('has the first rate after five seconds, which then decays by half in a minute times ln 2', () => {
    const meter = new Meter(0);
    meter.mark(500, 1000);
    expect(meter.movingRates(4999)).toEqual([0, 0, 0]);
    expect(meter.movingRates(5000)).toEqual([100, 100, 100]);
    const [rate1, rate5, rate15] = meter.movingRates(5000 + 60_000);
    expect(rate1).toBeCloseTo(100 * Math.exp(-1), 9);
    expect(rate5).toBeCloseTo(100 * Math.exp(-1 / 5), 9);
    expect(rate15).toBeCloseTo(100 * Math.exp(-1 / 15), 9);
  });

  it('comes to the rate that goes on', () => {
    const meter = new Meter(0);
    for (let second = 0; second < 3600; second += 1) meter.mark(7, second * 1000);
    for (const rate of meter.movingRates(3_600_000)) expect(rate).toBeCloseTo(7, 1);
  });
});

describe('a histogram', () => {
  it('of few values is exact', () => {
    const histogram = new Histogram(seededRandom(1), 0);
    for (const value of [5, 1, 4, 2, 3]) histogram.update(value, 0);
    expect(histogram.distribution()).toMatchObject({ count: 5, min: 1, max: 5, mean: 3, p50: 3, p999: 5 });
    expect(histogram.distribution().stdDev).toBeCloseTo(Math.SQRT2, 12);
    expect(histogram.distribution().p75).toBe(4.5);
  });

  it('without any says so', () => {
    expect(new Histogram(seededRandom(1), 0).distribution()).toMatchObject({ count: 0, min: NaN, mean: NaN });
  });

  it('of many is near them, and keeps 1,028', () => {
    const histogram = new Histogram(seededRandom(2), 0);
    for (let value = 0; value < 100_000; value += 1) histogram.update(value % 1000, value / 100);
    const { count, mean, p50, p95 } = histogram.distribution();
    expect(count).toBe(100_000);
    expect(Math.abs(mean - 499.5)).toBeLessThan(30);
    expect(Math.abs(p50 - 500)).toBeLessThan(60);
    expect(Math.abs(p95 - 950)).toBeLessThan(30);
  });

  it('is of what was seen lately, over many hours', () => {
    const histogram = new Histogram(seededRandom(3), 0);
    for (let at = 0; at < 5000; at += 1) histogram.update(1, at);
    const later = 5 * 3_600_000;
    for (let at = 0; at < 5000; at += 1) histogram.update(2, later + at);
    const { min, max, count } = histogram.distribution();
    expect([min, max, count]).toEqual([2, 2, 10_000]);
  });
});

describe("Kafka's window", () => {
  it('takes half a minute for the least time', () => {
    const window = new Window(0);
    window.record(60, 1000);
    expect(window.rate(30_000)).toBe(60 / 30);
    expect(window.rate(1000)).toBe(60 / 31);
    expect([window.avg(1000), window.max(1000)]).toEqual([60, 60]);
  });

  it('forgets what is older than two windows', () => {
    const window = new Window(0);
    window.record(10, 1000);
    window.record(20, 31_000);
    expect([window.avg(59_000), window.max(59_000)]).toEqual([15, 20]);
    expect([window.avg(61_000), window.max(61_000)]).toEqual([20, 20]);
    expect(window.rate(91_000)).toBe(0);
    expect([window.avg(200_000), window.max(200_000)]).toEqual([NaN, NaN]);
  });
});

describe('the names of instruments', () => {
  it('are there once', () => {
    const names = quantities.map(instrumentName).filter((name) => name !== undefined);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});
