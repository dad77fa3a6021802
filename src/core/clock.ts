// The only file that names timers or the system's time. Everything else takes a `Clock`, so client and broker run together in simulated time.

/** A pending timer. */
export interface Timer {
  /** Stops it; a second call, or one after it fired, does nothing. */
  cancel(): void;
  /** Lets the process end although it is pending; for timers that are only of use while something else keeps the process alive. */
  unref?(): void;
}

/** Time as the library sees it; injected everywhere. */
export interface Clock {
  /** Monotonic milliseconds, for durations and deadlines; unrelated to the time of day. */
  now(): number;
  /** Milliseconds since 1970-01-01 UTC, for record timestamps. */
  wallNow(): number;
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Runs `callback` after I/O that is already due has been served (`setImmediate`). */
  defer(callback: () => void): void;
  /** Time passes by itself, so that other threads may do work meanwhile. Absent in simulated time, where everything happens in the caller's turn. */
  readonly isReal?: boolean;
}

/** A source of numbers in [0, 1), as `Math.random`. */
export type Random = () => number;

/** `Math.random`. */
export const systemRandom: Random = () => Math.random();

const MAX_DELAY_MS = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = {
  isReal: true,
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return {
      cancel() {
        clearTimeout(timer);
      },
      unref() {
        timer.unref();
      },
    };
  },
  defer(callback) {
    setImmediate(callback);
  },
};

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
