// So many messages a second, counted from the start of the run.

import type { Clock } from '../core/clock.ts';

/** Says how many of the messages of a run are due. What was held up is caught up with, as by Kafka's own tool. */
export class Pacer {
  private readonly clock: Clock;
  private readonly perSecond: number;
  private readonly startMs: number;

  /** `perSecond` below 0: no limit; 0: nothing is ever due. */
  constructor(clock: Clock, perSecond: number) {
    this.clock = clock;
    this.perSecond = perSecond;
    this.startMs = clock.now();
  }

  /** How many messages may have been sent by now, the first one at once. */
  due(): number {
    if (this.perSecond < 0) return Infinity;
    if (this.perSecond === 0) return 0;
    return 1 + Math.floor(((this.clock.now() - this.startMs) * this.perSecond) / 1000);
  }

  /** Milliseconds until the next one is due, when so many were sent; 0 when it is due already. */
  waitMs(sent: number): number {
    if (this.perSecond < 0) return 0;
    if (this.perSecond === 0) return Infinity;
    return Math.max(0, this.startMs + (sent * 1000) / this.perSecond - this.clock.now());
  }
}
