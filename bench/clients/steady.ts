// A steady rate: every millisecond what is due is handed to the producer, and the time to its arrival at the consumer's handler is taken. Each
// value begins with its number. The first is sent alone: once it arrives, the consumer is there.
import { Latencies } from './latencies.ts';
import type { Done } from './run-task.ts';
import type { Stopwatch } from './stopwatch.ts';
import { numbered, numberOf, weight } from './values.ts';

const TICK_MS = 1;
/** Until everything has settled in, nothing is counted. */
const SETTLING_SHARE = 0.2;
/** Slower than this is not the rate that was asked for. */
const LATE_SHARE = 1.1;

export class SteadyRun {
  private readonly pool: readonly Buffer[];
  private readonly records: number;
  private readonly perSecond: number;
  private readonly watch: Stopwatch;
  private readonly sentAt: Float64Array;
  private readonly latencies: Latencies;
  private readonly firstCounted: number;
  private arrived = 0;
  private sum = 0;
  private readonly first = new Milestone();
  private readonly last = new Milestone();

  constructor(pool: readonly Buffer[], records: number, perSecond: number, watch: Stopwatch) {
    this.pool = pool;
    this.records = records;
    this.perSecond = perSecond;
    this.watch = watch;
    this.sentAt = new Float64Array(records);
    this.latencies = new Latencies(records);
    this.firstCounted = Math.floor(records * SETTLING_SHARE);
  }

  /** To be called with every value that arrives. */
  readonly arrive = (value: Buffer): void => {
    const at = numberOf(value);
    if (at >= this.firstCounted) this.latencies.add(performance.now() - this.sentAt[at]!);
    this.sum += weight(value);
    if (++this.arrived === 1) this.first.reach();
    if (this.arrived === this.records) {
      this.watch.stop();
      this.last.reach();
    }
  };

  /** Hands the values that are due at a time to `send`; resolves when all have arrived. */
  async run(send: (values: Buffer[]) => void): Promise<Done> {
    send([numbered(this.pool, 0)]);
    await this.first.reached;
    this.watch.start();
    const seconds = await this.sendSteadily(send);
    if (seconds > (this.records / this.perSecond) * LATE_SHARE)
      throw new Error(`${this.records} records took ${seconds.toFixed(1)} s to send: the rate was not kept`);
    await this.last.reached;
    return { sum: this.sum, latencyMs: this.latencies.summary() };
  }

  private sendSteadily(send: (values: Buffer[]) => void): Promise<number> {
    return new Promise((resolve) => {
      const startedAt = performance.now();
      let next = 1;
      const ticking = setInterval(() => {
        const now = performance.now();
        const due = Math.min(this.records, Math.floor(((now - startedAt) / 1_000) * this.perSecond));
        const values: Buffer[] = [];
        for (; next < due; next++) {
          this.sentAt[next] = now;
          values.push(numbered(this.pool, next));
        }
        if (values.length > 0) send(values);
        if (next < this.records) return;
        clearInterval(ticking);
        resolve((now - startedAt) / 1_000);
      }, TICK_MS);
    });
  }
}

class Milestone {
  reach = (): void => undefined;
  readonly reached = new Promise<void>((resolve) => {
    this.reach = resolve;
  });
}
