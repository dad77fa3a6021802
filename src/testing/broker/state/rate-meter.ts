import type { Clock } from '../../../core/clock.ts';

/** `quota.window.num` and `quota.window.size.seconds` */
const WINDOWS = 11;
const WINDOW_MS = 1000;

/** A rate over the last ten seconds and the one that runs, as Kafka measures quotas. */
export class RateMeter {
  readonly #clock: Clock;
  /** Sums by second, oldest first. */
  readonly #samples: { readonly startMs: number; sum: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts `amount`; returns for how many milliseconds nothing may come, so that the rate falls to the bound. */
  take(amount: number, perSecond: number): number {
    const nowMs = this.#clock.now();
    const samples = this.#samples;
    const last = samples.at(-1);
    if (last === undefined || nowMs - last.startMs >= WINDOW_MS)
      samples.push({ startMs: nowMs, sum: amount });
    else last.sum += amount;
    while (samples.length > WINDOWS || nowMs - samples[0]!.startMs >= WINDOWS * WINDOW_MS) samples.shift();
    const elapsedMs = nowMs - samples[0]!.startMs;
    const fullWindows = Math.floor(elapsedMs / WINDOW_MS);
    const windowMs = elapsedMs + Math.max(0, WINDOWS - 1 - fullWindows) * WINDOW_MS;
    const rate = samples.reduce((sum, sample) => sum + sample.sum, 0) / (windowMs / 1000);
    if (rate <= perSecond) return 0;
    return Math.round(((rate - perSecond) / perSecond) * windowMs);
  }
}
