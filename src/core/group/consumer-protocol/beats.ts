// Heartbeats at the interval the coordinator dictates, and at once when there is something to say.

import type { Clock, Random, Timer } from '../../clock.ts';
import { backoffMs } from '../../cluster/retry.ts';
import type { BeatOutcome } from '../heartbeats.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;

/** Never two at once. Counted from the sending of the one before; after a failure soon, but not at once. */
export class Beats {
  /** In milliseconds; each answer brings it. */
  intervalMs = 5_000;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly beat: () => Promise<BeatOutcome>;
  private readonly onLate: (lateMs: number) => void;
  /** When the timer is to run. */
  private dueMs = 0;
  private timer: Timer | undefined;
  /** Told apart so that an answer from before a `stop()` does not go on beating. */
  private round = 0;
  private failures = 0;
  private running = false;
  private underWay = false;
  private wanted = false;

  /** `onLate` is called when a whole interval passed in which nothing could run. */
  constructor(
    clock: Clock,
    random: Random,
    beat: () => Promise<BeatOutcome>,
    onLate: (lateMs: number) => void,
  ) {
    this.onLate = onLate;
    this.clock = clock;
    this.random = random;
    this.beat = beat;
  }

  /** Starts them, the first one an interval from now. */
  start(): void {
    this.stop();
    this.running = true;
    this.schedule(this.intervalMs);
  }

  /** Sends one at once, right after the one that is under way, or with the repetition that is due anyway. */
  now(): void {
    this.wanted = true;
    if (this.running && !this.underWay && this.failures === 0) this.schedule(0);
  }

  /** How long the next one is overdue, because nothing else ran either; 0 when none is. */
  overdueMs(): number {
    return this.timer === undefined ? 0 : Math.max(0, this.clock.now() - this.dueMs);
  }

  stop(): void {
    this.running = false;
    this.underWay = false;
    this.wanted = false;
    this.failures = 0;
    this.round += 1;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private schedule(delayMs: number): void {
    const { round } = this;
    const waitMs = Math.max(0, delayMs);
    this.timer?.cancel();
    this.dueMs = this.clock.now() + waitMs;
    this.timer = this.clock.setTimeout(() => {
      void this.run(round);
    }, waitMs);
  }

  private async run(round: number): Promise<void> {
    const sentMs = this.clock.now();
    const lateMs = this.overdueMs();
    if (lateMs >= this.intervalMs) this.onLate(lateMs);
    if (round !== this.round) return;
    this.timer = undefined;
    this.underWay = true;
    this.wanted = false;
    const outcome = await this.beat();
    if (round !== this.round) return;
    this.underWay = false;
    if (outcome === 'failed') {
      this.failures += 1;
      const pauseMs = backoffMs(this.failures, MIN_RETRY_MS, MAX_RETRY_MS, this.random);
      this.schedule(Math.min(pauseMs, this.intervalMs));
      return;
    }
    this.failures = 0;
    this.schedule(this.wanted ? 0 : this.intervalMs - (this.clock.now() - sentMs));
  }
}
