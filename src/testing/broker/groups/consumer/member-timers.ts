import type { Clock, Timer } from '../../../../core/clock.ts';

/** What is timed of a member: its session; giving partitions up; and for a member of the classic protocol its next join and its sync. */
export type TimedWait = 'session' | 'rebalance' | 'join' | 'sync';

const WAITS: readonly TimedWait[] = ['session', 'rebalance', 'join', 'sync'];

/** The timers of a consumer group's members. */
export class MemberTimers {
  readonly #clock: Clock;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a wait, anew when it was under way. */
  start(memberId: string, wait: TimedWait, delayMs: number, onEnd: () => void): void {
    const key = keyOf(memberId, wait);
    this.#timers.get(key)?.cancel();
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(key);
      onEnd();
    }, delayMs);
    this.#timers.set(key, timer);
  }

  isRunning(memberId: string, wait: TimedWait): boolean {
    return this.#timers.has(keyOf(memberId, wait));
  }

  cancel(memberId: string, wait: TimedWait): void {
    const key = keyOf(memberId, wait);
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  cancelAll(memberId: string): void {
    for (const wait of WAITS) this.cancel(memberId, wait);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}

function keyOf(memberId: string, wait: TimedWait): string {
  return `${wait} ${memberId}`;
}
