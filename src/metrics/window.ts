// What was seen in the last half minute to a minute, as Kafka's clients count it (`metrics.sample.window.ms` 30,000, `metrics.num.samples` 2).

const WINDOW_MS = 30_000;
const WINDOWS = 2;
const MS_PER_S = 1000;

interface Sample {
  startMs: number;
  count: number;
  sum: number;
  max: number;
}

/** Two windows, of which the older is given up when a third begins. */
export class Window {
  private readonly samples: Sample[];

  constructor(nowMs: number) {
    this.samples = [emptySample(nowMs)];
  }

  record(value: number, nowMs: number): void {
    this.advance(nowMs);
    const sample = this.samples[this.samples.length - 1]!;
    sample.count += 1;
    sample.sum += value;
    if (value > sample.max) sample.max = value;
  }

  /** The sum per second; as in Kafka, over half a minute at least. */
  rate(nowMs: number): number {
    this.advance(nowMs);
    const elapsedMs = nowMs - this.samples[0]!.startMs;
    const missing = Math.max(0, WINDOWS - 1 - Math.floor(elapsedMs / WINDOW_MS));
    return (this.sum * MS_PER_S) / (elapsedMs + missing * WINDOW_MS || WINDOW_MS);
  }

  /** NaN when there is none. */
  avg(nowMs: number): number {
    this.advance(nowMs);
    return this.sum / this.samples.reduce((count, sample) => count + sample.count, 0);
  }

  /** NaN when there is none. */
  max(nowMs: number): number {
    this.advance(nowMs);
    const max = this.samples.reduce((largest, sample) => Math.max(largest, sample.max), -Infinity);
    return max === -Infinity ? NaN : max;
  }

  private get sum(): number {
    return this.samples.reduce((sum, sample) => sum + sample.sum, 0);
  }

  private advance(nowMs: number): void {
    const { samples } = this;
    if (nowMs - samples[samples.length - 1]!.startMs >= WINDOW_MS) samples.push(emptySample(nowMs));
    while (samples.length > 1 && nowMs - samples[0]!.startMs >= WINDOWS * WINDOW_MS) samples.shift();
    if (nowMs - samples[0]!.startMs >= WINDOWS * WINDOW_MS) samples[0] = emptySample(nowMs);
  }
}

function emptySample(startMs: number): Sample {
  return { startMs, count: 0, sum: 0, max: -Infinity };
}
