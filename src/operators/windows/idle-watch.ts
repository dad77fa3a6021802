import type { Clock, Timer } from '../../core/clock.ts';
import type { Settlement } from '../../flow/settlement.ts';

/** How often an idle partition is looked at within `idleMs`. */
const LOOKS = 4;

/** Windows that wait for time to go on. */
export interface Waiting {
  readonly hasWindows: boolean;
  /** From now on nothing has come, as far as is known. */
  onQuiet(): void;
  /** Nothing has come for so long, and nothing older can: time may have gone on by as much. */
  onIdle(elapsedMs: number): void;
  /** Milliseconds from when it became quiet to when the next window is due. */
  nextDueMs(): number;
}

/** Finds out when a claim is idle. It costs one number for each value, and a timer while windows are open. */
export class IdleWatch {
  private readonly settlement: Settlement;
  private readonly clock: Clock;
  private readonly idleMs: number;
  private readonly waiting: Waiting;
  private timer: Timer | undefined;
  private arrivals = 0;
  private seenArrivals = 0;
  private quietSinceMs = 0;
  private isStopped = false;

  constructor(settlement: Settlement, idleMs: number, waiting: Waiting) {
    this.settlement = settlement;
    this.clock = settlement.clock;
    this.idleMs = idleMs;
    this.waiting = waiting;
  }

  /** A value came. */
  arrived(): void {
    this.arrivals++;
    if (this.timer !== undefined || this.isStopped || !this.waiting.hasWindows) return;
    this.becomeQuiet();
    this.start(this.idleMs / LOOKS);
  }

  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private start(delayMs: number): void {
    this.timer = this.clock.setTimeout(() => {
      this.timer = undefined;
      this.look();
    }, delayMs);
    this.timer.unref?.();
  }

  // The clock counts only where nothing older can come: all that is in the log was handed over, and has come here.
  private look(): void {
    const { settlement, waiting, idleMs } = this;
    const elapsedMs = this.clock.now() - this.quietSinceMs;
    let waitMs = idleMs / LOOKS;
    const isQuiet = this.seenArrivals === this.arrivals && settlement.inFlight === 0;
    if (!isQuiet || settlement.caughtUp !== true) this.becomeQuiet();
    else if (elapsedMs >= idleMs) {
      waiting.onIdle(elapsedMs);
      waitMs = Math.min(Math.max(waitMs, waiting.nextDueMs() - elapsedMs), idleMs);
    }
    if (waiting.hasWindows && !this.isStopped) this.start(waitMs);
  }

  private becomeQuiet(): void {
    this.seenArrivals = this.arrivals;
    this.quietSinceMs = this.clock.now();
    this.waiting.onQuiet();
  }
}
