// One timer for everything of a producer that has a deadline.

import type { Clock, Timer } from '../clock.ts';

/** Calls `onDue` at the earliest time asked for; `onDue` returns the next one, Infinity for none. */
export class Deadlines {
  private readonly clock: Clock;
  private readonly onDue: (now: number) => number;
  private timer: Timer | undefined;
  private armedAt = Infinity;

  constructor(clock: Clock, onDue: (now: number) => number) {
    this.clock = clock;
    this.onDue = onDue;
  }

  /** Cheap when an earlier time is set already, as it is for every batch but the first. */
  at(time: number): void {
    if (time >= this.armedAt) return;
    this.timer?.cancel();
    this.armedAt = time;
    this.timer = this.clock.setTimeout(
      () => {
        this.timer = undefined;
        this.armedAt = Infinity;
        this.at(this.onDue(this.clock.now()));
      },
      Math.max(0, time - this.clock.now()),
    );
    // Requests and pauses under way keep the process alive; a deadline outlives its batch.
    this.timer.unref?.();
  }

  cancel(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.armedAt = Infinity;
  }
}
