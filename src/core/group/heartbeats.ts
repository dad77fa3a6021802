// Heartbeats at their interval, whatever else is going on.

import type { Clock, Random, Timer } from '../clock.ts';
import { backoffMs } from '../cluster/retry.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;

/** How a heartbeat went: answered, or to be repeated soon. */
export type BeatOutcome = 'answered' | 'failed';

/** Calls `beat` every `intervalMs`, counted from the sending of the one before; sooner after a failure. Never two at once. */
export class Heartbeats {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly intervalMs: number;
  private readonly beat: () => Promise<BeatOutcome>;
  private readonly onLate: (lateMs: number) => void;
  private timer: Timer | undefined;
  /** When the timer is to run. */
  private dueMs = 0;
  /** Told apart so that an answer from before a `stop()` does not go on beating. */
  private round = 0;
  private failures = 0;
  private running = false;

  /** `onLate` is called when a whole interval passed in which nothing could run. */
  constructor(
    clock: Clock,
    random: Random,
    intervalMs: number,
    beat: () => Promise<BeatOutcome>,
    onLate: (lateMs: number) => void,
  ) {
    this.onLate = onLate;
    this.clock = clock;
    this.random = random;
    this.intervalMs = intervalMs;
    this.beat = beat;
  }

  /** Starts them, the first one an interval from now; changes nothing when they are running. */
  keep(): void {
    if (this.running) return;
    this.running = true;
    this.failures = 0;
    this.schedule(this.round, this.intervalMs);
  }

  /** How long the next one is overdue, because nothing else ran either; 0 when none is. */
  overdueMs(): number {
    return this.timer === undefined ? 0 : Math.max(0, this.clock.now() - this.dueMs);
  }

  stop(): void {
    this.running = false;
    this.round += 1;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private schedule(round: number, delayMs: number): void {
    const waitMs = Math.max(0, delayMs);
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
    const outcome = await this.beat();
    if (round !== this.round) return;
    const passedMs = this.clock.now() - sentMs;
    if (outcome === 'answered') {
      this.failures = 0;
      this.schedule(round, this.intervalMs - passedMs);
    } else {
      this.failures += 1;
      const pauseMs = backoffMs(this.failures, MIN_RETRY_MS, MAX_RETRY_MS, this.random);
      this.schedule(round, Math.min(pauseMs, this.intervalMs));
    }
  }
}
