// The bytes a producer may hold, for all of it and per partition, and who waits for room.

// Room is announced when a quarter is free again, so that a full producer is not woken for every batch.
const RESUME_SHARE = 0.75;

/** A count of bytes that is full at its limit and has room again when a quarter of it is free. */
export class ByteGauge {
  used = 0;
  full = false;
  private readonly limit: number;
  private readonly resumeAt: number;

  constructor(limit: number) {
    this.limit = limit;
    this.resumeAt = limit * RESUME_SHARE;
  }

  /** True when this made it full. */
  take(bytes: number): boolean {
    this.used += bytes;
    if (this.full || this.used < this.limit) return false;
    this.full = true;
    return true;
  }

  /** True when this gave it room again. */
  give(bytes: number): boolean {
    this.used -= bytes;
    if (!this.full || this.used > this.resumeAt) return false;
    this.full = false;
    return true;
  }
}

/** Callbacks that wait for room. */
export class ReadyListeners {
  private readonly listeners = new Set<() => void>();
  private due = false;

  add(listener: () => void): () => void {
    // A wrapper, so that the same function can be added twice and removed once.
    const entry = (): void => listener();
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  /** Some room came back; `announce` tells the listeners. */
  mark(): void {
    this.due = true;
  }

  announce(report: (error: unknown) => void): void {
    if (!this.due) return;
    this.due = false;
    for (const listener of [...this.listeners]) {
      try {
        listener();
      } catch (error) {
        report(error);
      }
    }
  }
}
