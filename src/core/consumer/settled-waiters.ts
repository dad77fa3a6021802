// Promises for "everything is settled".

interface Waiter {
  readonly heldToo: boolean;
  readonly done: (error?: unknown) => void;
}

/** Those who wait until a reader's records are settled. */
export class SettledWaiters {
  private waiters: Waiter[] = [];

  get isEmpty(): boolean {
    return this.waiters.length === 0;
  }

  /** Resolves at a `check()` with nothing in flight and, with `heldToo`, nothing held; rejects with the signal's reason. */
  wait(heldToo: boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const done = (error?: unknown): void => {
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiter = { heldToo, done };
      const onAbort = (): void => {
        this.waiters = this.waiters.filter((one) => one !== waiter);
        done(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiters.push(waiter);
    });
  }

  check(inFlight: number, held: number): void {
    if (this.waiters.length === 0 || inFlight > 0) return;
    const ready = this.waiters.filter((waiter) => held === 0 || !waiter.heldToo);
    this.waiters = this.waiters.filter((waiter) => held > 0 && waiter.heldToo);
    for (const waiter of ready) waiter.done();
  }

  fail(error: Error): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter.done(error);
  }
}
