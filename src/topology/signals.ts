// SIGINT and SIGTERM as a drain.
import type { Running } from './types.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Calls `onFirst` at the first signal and `onSecond` at any further one, until the answer is called. */
function onSignals(onFirst: (signal: string) => void, onSecond: (signal: string) => void): () => void {
  let seen = false;
  const listener = (signal: string): void => {
    if (seen) {
      onSecond(signal);
      return;
    }
    seen = true;
    onFirst(signal);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** The first signal drains, a second one aborts; what is left unsettled, and a failure, make the exit code 1. Nothing happens unless `listens`. */
export function onStopSignals(running: Pick<Running, 'drain' | 'abort'>, listens: boolean): () => void {
  if (!listens) return () => undefined;
  return onSignals(
    () => {
      running.drain().then(
        ({ unsettled }) => {
          if (unsettled > 0) process.exitCode = 1;
        },
        () => {
          process.exitCode = 1;
        },
      );
    },
    () => {
      process.exitCode = 1;
      running.abort().catch(() => undefined);
    },
  );
}
