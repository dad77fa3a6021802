// Memory that does nothing but make V8 collect less often. V8 spaces its full collections by the size of the JavaScript heap; fetched bytes lie
// outside of it but count towards the next collection. In a program with a small heap, as most that read Kafka are, some ten megabytes of them
// bring one about: forty a second at 400 MB/s, which took half of the processor time. Eight megabytes that hold no references, and so cost a
// collection nothing, move them hundreds of megabytes apart, and what was fetched dies young before that.

import { Buffer } from 'node:buffer';
import { getHeapStatistics } from 'node:v8';

const BALLAST_BYTES = 8 * 1024 * 1024;
const BYTES_PER_NUMBER = 8;
/** A heap of this size brings ballast of its own. */
const AMPLE_HEAP_BYTES = 48 * 1024 * 1024;
/** Who reads less has little to collect. */
const BUSY_BYTES = 64 * 1024 * 1024;
/** Every so many bytes read, a full collection is due. */
const COLLECTED_EVERY_BYTES = 6 * 1024 * 1024 * 1024;
/** V8 begins a full collection when so much more than after the last one lies outside of its heap. */
const PRESSURE_BYTES = 65 * 1024 * 1024;

let ballast: readonly number[] | undefined;
/** What was let go of and is not collected yet is used again. */
let parked: WeakRef<readonly number[]> | undefined;
let holders = 0;

function held(): readonly number[] | undefined {
  const left = parked?.deref();
  if (left !== undefined) return left;
  if (getHeapStatistics().used_heap_size >= AMPLE_HEAP_BYTES) return undefined;
  const made = new Array<number>(BALLAST_BYTES / BYTES_PER_NUMBER).fill(0.5);
  parked = new WeakRef(made);
  return made;
}

/**
 * What lives as long as a request does not die young, some two kilobytes for each megabyte read, and with ballast V8 would let a hundred megabytes of it gather.
 * The buffer is never written to, so it takes no memory.
 */
function askForCollection(): void {
  try {
    Buffer.allocUnsafeSlow(PRESSURE_BYTES);
  } catch {
    // Where there is no room for it, V8 collects by itself.
  }
}

/** Ballast for as long as any of those who count a lot of bytes is there. */
export class HeapBallast {
  private bytes = 0;
  private holds = false;

  /** The holder read so much. */
  count(bytes: number): void {
    this.bytes += bytes;
    if (this.holds) {
      if (this.bytes < COLLECTED_EVERY_BYTES) return;
      this.bytes = 0;
      askForCollection();
      return;
    }
    if (this.bytes < BUSY_BYTES) return;
    this.bytes = 0;
    this.holds = true;
    holders += 1;
    ballast ??= held();
  }

  /** The holder reads no more. */
  release(): void {
    this.bytes = 0;
    if (!this.holds) return;
    this.holds = false;
    holders -= 1;
    if (holders === 0) ballast = undefined;
  }
}
