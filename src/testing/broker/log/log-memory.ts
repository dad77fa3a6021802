/** What is done when the logs of a box have reached its bound: producers are refused, or the oldest records of the largest log go. */
export type WhenFull = 'refuse' | 'deleteOldest';

/** A log as the bound sees it. */
export interface BoundedLog {
  /** Memory that it holds. */
  readonly heldBytes: number;
  /** Gives up its oldest records; false when it has none to give. */
  deleteOldest(): boolean;
}

/** The memory of all logs of a box together, and its bound. */
export class LogMemory {
  readonly limitBytes: number;
  readonly whenFull: WhenFull;
  usedBytes = 0;
  readonly #logs = new Set<BoundedLog>();

  constructor(limitBytes = Infinity, whenFull: WhenFull = 'refuse') {
    this.limitBytes = limitBytes;
    this.whenFull = whenFull;
  }

  add(log: BoundedLog): void {
    this.#logs.add(log);
  }

  remove(log: BoundedLog): void {
    this.#logs.delete(log);
  }

  /** Counts memory that a log takes, or with a negative number gives back. */
  take(bytes: number): void {
    this.usedBytes += bytes;
  }

  /** True when `bytes` more may be written, after making room where that is wanted. */
  makeRoom(bytes: number): boolean {
    while (this.usedBytes + bytes > this.limitBytes) {
      if (this.whenFull === 'refuse' || !this.#largest()?.deleteOldest()) return false;
    }
    return true;
  }

  #largest(): BoundedLog | undefined {
    let largest: BoundedLog | undefined;
    for (const log of this.#logs) if (log.heldBytes > (largest?.heldBytes ?? 0)) largest = log;
    return largest;
  }
}
