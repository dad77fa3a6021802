// Asks several candidates with a head start for each: the first answer counts.

import type { Clock, Timer } from '../clock.ts';

/**
 * Calls `attempt` for the candidates in order: the next one as soon as one before it has failed, or when `staggerMs` have passed without an
 * answer, so that one that keeps silent does not hold up the rest. Resolves with the first success and aborts the signals of all others; with
 * no success rejects with the AggregateError of all failures, in the order of the candidates.
 */
export function firstOf<C, T>(
  clock: Clock,
  candidates: readonly C[],
  staggerMs: number,
  attempt: (candidate: C, signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const errors: unknown[] = [];
    const controllers: AbortController[] = [];
    let next = 0;
    let running = 0;
    let settled = false;
    let timer: Timer | undefined;

    const finish = (winner?: AbortController): void => {
      settled = true;
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      for (const controller of controllers) if (controller !== winner) controller.abort();
    };
    const onAbort = (): void => {
      finish();
      reject(signal?.reason);
    };
    const startNext = (): void => {
      timer?.cancel();
      const at = next;
      if (at >= candidates.length) {
        if (running > 0) return;
        finish();
        reject(new AggregateError(errors, 'no candidate answered'));
        return;
      }
      next += 1;
      running += 1;
      const controller = new AbortController();
      controllers.push(controller);
      timer = clock.setTimeout(startNext, staggerMs);
      attempt(candidates[at]!, controller.signal).then(
        (value) => {
          if (settled) return;
          finish(controller);
          resolve(value);
        },
        (error: unknown) => {
          running -= 1;
          errors[at] = error;
          if (!settled) startNext();
        },
      );
    };

    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    startNext();
  });
}
