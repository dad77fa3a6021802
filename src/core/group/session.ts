// The member's session as its own clock sees it.

import type { Clock, Timer } from '../clock.ts';

/**
 * Expires by our own clock, nobody has to tell us. It counts from the moment a request was sent that the coordinator then answered, so it never
 * outlives the coordinator's own count, which starts when the request arrives.
 */
export class Session {
  private readonly clock: Clock;
  private readonly timeoutMs: number;
  private readonly onExpired: () => void;
  private deadlineMs = 0;
  private watching = false;
  private timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number, onExpired: () => void) {
    this.clock = clock;
    this.timeoutMs = timeoutMs;
    this.onExpired = onExpired;
  }

  /** A request sent at `sentMs` was answered as a member. */
  renew(sentMs: number): void {
    this.deadlineMs = Math.max(this.deadlineMs, sentMs + this.timeoutMs);
  }

  /** Forgets earlier renewals: a new generation counts from its own. */
  restart(sentMs: number): void {
    this.deadlineMs = sentMs + this.timeoutMs;
  }

  /** From now on expiry is called out. */
  watch(): void {
    this.watching = true;
    if (this.timer === undefined) this.arm();
  }

  /** Nothing hangs from the session any more. */
  unwatch(): void {
    this.watching = false;
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Reads the clock and calls the expiry out if it is due; returns whether it was. For code that may run before a timer that is due. */
  check(): boolean {
    if (!this.watching || this.clock.now() < this.deadlineMs) return false;
    this.unwatch();
    this.onExpired();
    return true;
  }

  private arm(): void {
    this.timer = this.clock.setTimeout(
      () => {
        this.timer = undefined;
        if (this.watching && !this.check()) this.arm();
      },
      Math.max(1, this.deadlineMs - this.clock.now()),
    );
  }
}
