// Waiting for something shared without being bound to it.

import type { Clock } from '../clock.ts';

/**
 * The promise, unless the signal aborts or the time is up first: then it rejects with the signal's reason, or with what `timedOut` makes. The
 * promise itself goes on; what becomes of it is dropped.
 */
export function unlessLate<T>(
  clock: Clock,
  promise: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  timedOut: () => unknown,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      stop();
      reject(signal?.reason);
    };
    const timer =
      timeoutMs === Infinity
        ? undefined
        : clock.setTimeout(() => {
            stop();
            reject(timedOut());
          }, timeoutMs);
    promise.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
