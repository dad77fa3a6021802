// Memory of full-size batches, used again. A busy producer would otherwise leave a megabyte for the garbage collector every few milliseconds, which
// cost a seventh of its processor time.
//
// Only the memory of a batch that was sent once and is acknowledged comes back: the broker has answered for every byte of it, so no request that
// still has to be encoded and no socket refers to it. Frames do not copy a batch; of one that was sent twice, a dying connection may hold the first.

// More than that is not worth keeping for the next second.
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Buffers of one size. */
export class BatchMemory {
  readonly bytes: number;
  private readonly limit: number;
  private free: Buffer[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
    this.limit = Math.floor(MAX_KEPT_BYTES / bytes);
  }

  /** A buffer of the full size with anything in it. */
  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  give(buffer: Buffer): void {
    if (this.free.length < this.limit) this.free.push(buffer);
  }

  /** Keeps nothing: the producer is at rest. */
  clear(): void {
    if (this.free.length > 0) this.free = [];
  }
}
