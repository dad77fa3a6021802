import type { Clock } from '../clock.ts';

// Asking the system for the time costs as much as writing a small record.
const USES = 16;

/** The time of day for records that bring none: asked for anew in each turn of the loop, and within a turn for every sixteenth record. */
export class Stamp {
  private readonly clock: Clock;
  private left = 0;
  private ms = 0;
  private scheduled = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    if (this.left > 0) {
      this.left -= 1;
      return this.ms;
    }
    this.left = USES - 1;
    this.ms = Math.floor(this.clock.wallNow());
    if (!this.scheduled) {
      this.scheduled = true;
      queueMicrotask(this.onTurnEnd);
    }
    return this.ms;
  }

  private readonly onTurnEnd = (): void => {
    this.scheduled = false;
    this.left = 0;
  };
}
