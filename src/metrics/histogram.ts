// The distribution of what was seen lately, from a sample of it.

import type { Random } from '../core/clock.ts';

/** Go's and Java's metrics libraries use these figures, and so does sarama. */
const RESERVOIR = 1028;
const ALPHA = 0.015;
const MS_PER_S = 1000;
/** Weights grow with time; before they overflow, all are made smaller. */
const RESCALE_AFTER_S = 3600;

/** What a {@link Histogram} holds. Of an empty one all but `count` is NaN. */
export interface Distribution {
  /** All values ever. The others are of the sample. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stdDev: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
}

/** A forward-decaying sample (Cormode et al.): each value gets a weight that grows with time, and the heaviest stay, by chance. */
export class Histogram {
  count = 0;
  private readonly random: Random;
  private landmarkMs: number;
  /** A heap, the lightest first. */
  private weights: number[] = [];
  private values: number[] = [];

  constructor(random: Random, nowMs: number) {
    this.random = random;
    this.landmarkMs = nowMs;
  }

  update(value: number, nowMs: number): void {
    this.count += 1;
    let ageS = (nowMs - this.landmarkMs) / MS_PER_S;
    if (ageS > RESCALE_AFTER_S) {
      this.rescale(ageS);
      this.landmarkMs = nowMs;
      ageS = 0;
    }
    const weight = Math.exp(ALPHA * ageS) / (1 - this.random());
    if (this.values.length < RESERVOIR) this.push(weight, value);
    else if (weight > this.weights[0]!) this.replaceLightest(weight, value);
  }

  distribution(): Distribution {
    const sorted = [...this.values].sort((a, b) => a - b);
    const { length } = sorted;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / length;
    const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
    return {
      count: this.count,
      min: sorted[0] ?? NaN,
      max: sorted[length - 1] ?? NaN,
      mean,
      stdDev: Math.sqrt(variance),
      p50: quantile(sorted, 0.5),
      p75: quantile(sorted, 0.75),
      p95: quantile(sorted, 0.95),
      p99: quantile(sorted, 0.99),
      p999: quantile(sorted, 0.999),
    };
  }

  // All weights shrink alike, so the heap stays one.
  private rescale(ageS: number): void {
    const factor = Math.exp(-ALPHA * ageS);
    this.weights = this.weights.map((weight) => weight * factor);
  }

  private push(weight: number, value: number): void {
    let at = this.values.length;
    this.weights.push(weight);
    this.values.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.weights[parent]! <= weight) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, weight, value);
  }

  private replaceLightest(weight: number, value: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= RESERVOIR) break;
      if (child + 1 < RESERVOIR && this.weights[child + 1]! < this.weights[child]!) child += 1;
      if (this.weights[child]! >= weight) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, weight, value);
  }

  private move(from: number, to: number): void {
    this.put(to, this.weights[from]!, this.values[from]!);
  }

  private put(at: number, weight: number, value: number): void {
    this.weights[at] = weight;
    this.values[at] = value;
  }
}

/** Between the two values next to it, in proportion. */
function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return NaN;
  const position = q * (sorted.length + 1);
  if (position < 1) return sorted[0]!;
  if (position >= sorted.length) return sorted[sorted.length - 1]!;
  const below = sorted[Math.floor(position) - 1]!;
  const above = sorted[Math.floor(position)]!;
  return below + (position - Math.floor(position)) * (above - below);
}
