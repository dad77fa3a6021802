import type { Clock, Timer } from '../../../../core/clock.ts';

/** Member ids that were handed out with MEMBER_ID_REQUIRED and have not come back yet; each is forgotten after a while. */
export class PendingJoins {
  readonly #clock: Clock;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#timers.size;
  }

  add(memberId: string, timeoutMs: number, onForgotten: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(memberId);
      onForgotten();
    }, timeoutMs);
    this.#timers.set(memberId, timer);
  }

  /** True when the id was waited for; it no longer is. */
  take(memberId: string): boolean {
    this.#timers.get(memberId)?.cancel();
    return this.#timers.delete(memberId);
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
