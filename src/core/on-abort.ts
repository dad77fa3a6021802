const listeners = new WeakMap<AbortSignal, Set<() => void>>();

function listenersOf(signal: AbortSignal): Set<() => void> {
  let set = listeners.get(signal);
  if (set === undefined) {
    const made = new Set<() => void>();
    set = made;
    listeners.set(signal, made);
    signal.addEventListener(
      'abort',
      () => {
        // One may stop another; those that come now are too late.
        for (const listener of [...made]) if (made.delete(listener)) listener();
        made.clear();
      },
      { once: true },
    );
  }
  return set;
}

/**
 * Calls `listener` when the signal aborts; the function returned stops that. One event listener per signal, however many wait: a claim's
 * signals are watched by every stage, and Node warns of more than ten. A signal that has aborted already calls nobody.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) return () => undefined;
  const set = listenersOf(signal);
  // A listener may be given twice by two callers; each gets its own entry.
  const entry = (): void => listener();
  set.add(entry);
  return () => void set.delete(entry);
}
