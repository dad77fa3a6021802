// SIGINT and SIGTERM as a drain.

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Calls `onFirst` at the first signal and `onSecond` at any further one, until the answer is called. */
export function onSignals(onFirst: (signal: string) => void, onSecond: (signal: string) => void): () => void {
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
