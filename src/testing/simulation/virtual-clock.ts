import { systemClock } from '../../core/clock.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import { UsageError } from '../../errors.ts';
import { TimerHeap } from './timer-heap.ts';
import type { HeapTimer } from './timer-heap.ts';

/** 2024-01-01T00:00:00Z, where simulated wall time starts unless told otherwise. */
const DEFAULT_WALL_MS = 1_704_067_200_000;
const MAX_DELAY_MS = 2 ** 31 - 1;
const STEPS_PER_TURN = 64;
const MAX_STEPS_PER_INSTANT = 1_000_000;

export interface VirtualClockOptions {
  /** What `wallNow()` says at the start, milliseconds since 1970; default 2024-01-01T00:00:00Z. */
  readonly wallStartMs?: number;
  /** How the next step is reached when everything that is due has run; default `systemClock.defer`. For tests that forbid the real one. */
  readonly pump?: (step: () => void) => void;
}

/**
 * A `Clock` whose time moves only when told. Timers run one at a time, ordered by due time and then by creation; between two of them
 * every promise reaction and `process.nextTick` that is due has run, as between two timers of Node. The methods that move time must be
 * awaited, one at a time; an error thrown by a timer rejects them.
 */
export class VirtualClock implements Clock {
  readonly #heap = new TimerHeap();
  readonly #wallStartMs: number;
  readonly #pump: (step: () => void) => void;
  #nowMs = 0;
  #sequence = 0;
  #driving = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallStartMs = options.wallStartMs ?? DEFAULT_WALL_MS;
    this.#pump = options.pump ?? ((step) => systemClock.defer(step));
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallStartMs + Math.floor(this.#nowMs);
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    if (Number.isNaN(delayMs)) throw new UsageError('VirtualClock.setTimeout: delayMs is NaN', 'delayMs');
    const timer: HeapTimer = {
      at: this.#nowMs + Math.min(Math.max(0, delayMs), MAX_DELAY_MS),
      sequence: this.#sequence++,
      callback,
    };
    this.#heap.push(timer);
    return { cancel: () => this.#heap.cancel(timer) };
  }

  defer(callback: () => void): void {
    this.#heap.push({ at: this.#nowMs, sequence: this.#sequence++, callback });
  }

  /** Timers that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#heap.size;
  }

  /** Runs what is due within the next `durationMs`, in order, and leaves the time there. */
  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0))
      throw new UsageError(`VirtualClock.advance(${durationMs}): not a duration`, 'durationMs');
    const until = this.#nowMs + durationMs;
    await this.#drive(until, () => false);
    this.#nowMs = until;
  }

  /** As `advance`, but stops as soon as `stop` holds, which is asked before each timer and at the end; resolves with whether it did. */
  async advanceUnless(durationMs: number, stop: () => boolean): Promise<boolean> {
    if (!(durationMs >= 0))
      throw new UsageError(`VirtualClock.advanceUnless(${durationMs}): not a duration`, 'durationMs');
    const until = this.#nowMs + durationMs;
    if (await this.#drive(until, stop)) return true;
    this.#nowMs = until;
    return stop();
  }

  /** Lets what is due now run (promises, deferred callbacks, timers of 0 ms) without moving time. */
  settle(): Promise<void> {
    return this.advance(0);
  }

  /** Runs timers until `predicate` holds; rejects when it does not within `limitMs` of simulated time, or when nothing is left to run. */
  async runUntil(predicate: () => boolean, limitMs = 600_000): Promise<void> {
    const from = this.#nowMs;
    const met = await this.#drive(from + limitMs, predicate);
    if (met) return;
    const why =
      this.#heap.size === 0 ? 'no timer is left to run' : `the limit of ${limitMs} simulated ms has passed`;
    throw new UsageError(
      `VirtualClock.runUntil: the condition does not hold and ${why} (at ${this.#nowMs} ms)`,
    );
  }

  /** Runs timers until `promise` settles, and settles as it does; the limit is that of {@link runUntil}. */
  async run<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.runUntil(() => settled, limitMs);
    return promise;
  }

  /** Runs timers until none is left; rejects when some are left after `limitMs` of simulated time. */
  async runUntilIdle(limitMs = 600_000): Promise<void> {
    await this.#drive(this.#nowMs + limitMs, () => false);
    if (this.#heap.size > 0) {
      throw new UsageError(
        `VirtualClock.runUntilIdle: ${this.#heap.size} timers left after ${limitMs} simulated ms`,
      );
    }
  }

  /** Resolves true as soon as `done` holds, false when nothing is due up to `untilMs` any more. */
  #drive(untilMs: number, done: () => boolean): Promise<boolean> {
    if (this.#driving) {
      throw new UsageError(
        'VirtualClock: two calls move the time at once; await the first (and never move it from a timer)',
      );
    }
    this.#driving = true;
    return new Promise<boolean>((resolve, reject) => {
      let finished = false;
      let stepsOfInstant = 0;
      const finish = (settle: () => void): void => {
        finished = true;
        this.#driving = false;
        settle();
      };
      const step = (): void => {
        if (finished) return;
        try {
          if (done()) {
            finish(() => resolve(true));
            return;
          }
          const next = this.#heap.peek();
          if (next === undefined || next.at > untilMs) {
            finish(() => resolve(false));
            return;
          }
          this.#heap.pop();
          if (next.at > this.#nowMs) {
            this.#nowMs = next.at;
            stepsOfInstant = 0;
          }
          if (++stepsOfInstant > MAX_STEPS_PER_INSTANT) {
            throw new UsageError(
              `VirtualClock: timers without delay follow each other for ever (at ${this.#nowMs} ms)`,
            );
          }
          const callback = next.callback!;
          next.callback = undefined;
          callback();
        } catch (error) {
          finish(() => reject(error));
        }
      };
      // Node drains promise reactions between two deferred callbacks, so each step sees all consequences of the one before.
      // Many steps per turn of the event loop: a turn costs far more than a step.
      const turn = (): void => {
        for (let left = 0; left < STEPS_PER_TURN; left++) this.#pump(step);
        this.#pump(() => {
          if (!finished) turn();
        });
      };
      turn();
    });
  }
}
