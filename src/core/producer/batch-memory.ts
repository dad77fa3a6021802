// Memory of large batches, used again. A busy producer would otherwise leave a megabyte for the garbage collector every few milliseconds, which
// cost a seventh of its processor time.
//
// Only the memory of a batch that was sent once and is acknowledged comes back: the broker has answered for every byte of it, so no request that
// still has to be encoded and no socket refers to it. Frames do not copy a batch; of one that was sent twice, a dying connection may hold the first.

import type { Clock, Timer } from '../clock.ts';

// More than that is not worth keeping for the next second.
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** A producer that has needed none of it for so long is at rest. */
const LOOK_MS = 1_000;

/** Buffers by their size; let go of when the producer is at rest. */
export class BatchMemory {
  private readonly clock: Clock;
  private readonly free = new Map<number, Buffer[]>();
  private keptBytes = 0;
  private taken = false;
  private timer: Timer | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A buffer of exactly this size with anything in it. */
  take(bytes: number): Buffer {
    this.taken = true;
    const buffer = this.free.get(bytes)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.keptBytes -= bytes;
    return buffer;
  }

  give(buffer: Buffer): void {
    if (this.keptBytes + buffer.length > MAX_KEPT_BYTES) return;
    this.keptBytes += buffer.length;
    const others = this.free.get(buffer.length);
    if (others === undefined) this.free.set(buffer.length, [buffer]);
    else others.push(buffer);
    if (this.timer === undefined) this.lookLater();
  }

  /** Keeps nothing. */
  clear(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.keptBytes = 0;
    this.free.clear();
  }

  private lookLater(): void {
    this.taken = false;
    this.timer = this.clock.setTimeout(() => {
      if (this.taken) this.lookLater();
      else this.clear();
    }, LOOK_MS);
    this.timer.unref?.();
  }
}
