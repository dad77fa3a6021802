import type { PullCredit } from './pull-credit.ts';

/** Resolves when nothing of `credit` is in flight, or after `timeoutMs`; `onIdle` is handed the function to call when it may be so. */
export function drained(
  credit: PullCredit,
  timeoutMs: number,
  onIdle: (resolve: () => void) => void,
): Promise<void> {
  if (credit.inFlight === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = credit.clock.setTimeout(resolve, timeoutMs);
    onIdle(() => {
      timer.cancel();
      resolve();
    });
  });
}
