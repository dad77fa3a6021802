// Durations of one job and their percentiles.
import type { LatencyMs } from './task.ts';

export class Latencies {
  private readonly ms: Float64Array;
  private count = 0;

  constructor(most: number) {
    this.ms = new Float64Array(most);
  }

  add(ms: number): void {
    this.ms[this.count++] = ms;
  }

  summary(): LatencyMs {
    const sorted = this.ms.subarray(0, this.count).sort();
    const at = (share: number): number => sorted[Math.min(this.count - 1, Math.floor(this.count * share))]!;
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
  }
}
