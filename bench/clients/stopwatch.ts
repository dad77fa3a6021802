// Wall clock, CPU, event loop delay and garbage collection of this process between start and stop.
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { LatencyMs, Outcome } from './task.ts';

const LOOP_RESOLUTION_MS = 1;
const IDLE_MS = 250;
const MS_PER_NS = 1e-6;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Stopwatch {
  private readonly loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  private readonly collections: { readonly startTime: number; readonly duration: number }[] = [];
  private readonly observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) this.collections.push({ startTime, duration });
  });
  private idleMs = 0;
  private startedAt = 0;
  private stoppedAt = 0;
  private cpuAtStart = process.cpuUsage();
  private cpuSeconds = 0;
  private loopP99Ms = 0;

  /** Takes what an idle loop shows; call it while nothing else is done. */
  async calibrate(): Promise<void> {
    this.loop.enable();
    await pause(IDLE_MS);
    this.idleMs = this.loop.percentile(99) * MS_PER_NS;
    this.loop.disable();
  }

  start(): void {
    this.observer.observe({ entryTypes: ['gc'] });
    this.loop.reset();
    this.loop.enable();
    this.cpuAtStart = process.cpuUsage();
    this.startedAt = performance.now();
  }

  stop(): void {
    this.stoppedAt = performance.now();
    const { user, system } = process.cpuUsage(this.cpuAtStart);
    this.cpuSeconds = (user + system) / 1e6;
    this.loopP99Ms = this.loop.percentile(99) * MS_PER_NS;
    this.loop.disable();
  }

  async outcome(records: number, sum: number, latencyMs: LatencyMs | undefined): Promise<Outcome> {
    // What was collected is told a turn of the loop later.
    await pause(1);
    this.observer.disconnect();
    const { startedAt, stoppedAt } = this;
    const inTime = this.collections.filter(
      ({ startTime }) => startTime >= startedAt && startTime <= stoppedAt,
    );
    return {
      records,
      seconds: (stoppedAt - startedAt) / 1_000,
      cpuSeconds: this.cpuSeconds,
      peakRssBytes: process.resourceUsage().maxRSS * 1_024,
      sum,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      loopDelayP99Ms: Math.max(0, this.loopP99Ms - this.idleMs),
      gcShare: inTime.reduce((total, { duration }) => total + duration, 0) / (stoppedAt - startedAt),
    };
  }
}
