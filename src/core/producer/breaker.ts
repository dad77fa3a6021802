// Stops waiting for what keeps not coming.

/** Failures without a success between that open it. */
const FAILURES = 3;
const OPEN_MS = 10_000;

/**
 * A circuit breaker with sarama's numbers: after three failures it is open for 10 s, during which what would have to wait fails at once. Then one may
 * try again: a failure opens it anew, a success closes it.
 */
export class Breaker {
  private failures = 0;
  private openUntil = -Infinity;

  /** What was waited for did not come. */
  failed(now: number): void {
    this.failures += 1;
    if (this.failures >= FAILURES) this.openUntil = now + OPEN_MS;
  }

  succeeded(): void {
    this.failures = 0;
    this.openUntil = -Infinity;
  }

  /** For how long nothing may wait yet, in ms; 0 when it may. */
  openForMs(now: number): number {
    return Math.max(0, this.openUntil - now);
  }
}
