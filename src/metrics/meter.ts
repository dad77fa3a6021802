// Counts with moving averages, as Unix's load.

const TICK_MS = 5000;
const MS_PER_S = 1000;
const MINUTES = [1, 5, 15] as const;
const SECONDS_PER_MINUTE = 60;
/** How much of the old rate a tick leaves. */
const KEPT = MINUTES.map((minutes) => Math.exp(-TICK_MS / MS_PER_S / SECONDS_PER_MINUTE / minutes));

/** A count and how fast it grows per second: over all its life, and averaged exponentially over 1, 5 and 15 minutes. */
export class Meter {
  count = 0;
  private readonly startMs: number;
  private tickedMs: number;
  private sinceTick = 0;
  private rates: number[] | undefined;

  constructor(nowMs: number) {
    this.startMs = nowMs;
    this.tickedMs = nowMs;
  }

  mark(amount: number, nowMs: number): void {
    this.tick(nowMs);
    this.count += amount;
    this.sinceTick += amount;
  }

  /** Over 1, 5 and 15 minutes; 0 in the first five seconds. */
  movingRates(nowMs: number): readonly [number, number, number] {
    this.tick(nowMs);
    const [rate1 = 0, rate5 = 0, rate15 = 0] = this.rates ?? [];
    return [rate1, rate5, rate15];
  }

  meanRate(nowMs: number): number {
    const elapsedMs = nowMs - this.startMs;
    return elapsedMs <= 0 ? 0 : (this.count * MS_PER_S) / elapsedMs;
  }

  private tick(nowMs: number): void {
    const ticks = Math.floor((nowMs - this.tickedMs) / TICK_MS);
    if (ticks <= 0) return;
    this.tickedMs += ticks * TICK_MS;
    const instant = (this.sinceTick * MS_PER_S) / TICK_MS;
    this.sinceTick = 0;
    // The first tick sets the rate; in those that follow without a mark nothing happened.
    this.rates = KEPT.map((kept, at) => {
      const before = this.rates?.[at];
      const after = before === undefined ? instant : before * kept + instant * (1 - kept);
      return after * kept ** (ticks - 1);
    });
  }
}
