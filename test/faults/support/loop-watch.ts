// How long the event loop is kept from serving anything else, by the processor's time: what other processes take is not counted.
const TICK_MS = 5;

/** Notes the processor time that this process spent between two ticks; while the loop is free that is next to nothing. */
export class LoopWatch {
  private spent: number[] = [];
  private last = processorMs();

  constructor() {
    setInterval(() => {
      const now = processorMs();
      this.spent.push(now - this.last);
      this.last = now;
    }, TICK_MS).unref();
  }

  /** The longest stretches since the last call: all but a hundredth are no longer than `p99`. */
  take(): { p99: number; max: number } {
    const sorted = Float64Array.from(this.spent).sort();
    this.spent = [];
    return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN, max: sorted.at(-1) ?? NaN };
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
