// Memory of a partition's log: batches lie one behind the other in large buffers, so that a fetch is a view and never a gathering copy.

const FIRST_SEGMENT_BYTES = 4 * 1024;
const MAX_SEGMENT_BYTES = 1024 * 1024;

/** One buffer of a log, filled from the front. */
export class Segment {
  readonly buffer: Buffer;
  used = 0;
  #isClosed = false;

  constructor(bytes: number) {
    // Not from Node's shared pool: a segment lives and dies with its log.
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  get room(): number {
    return this.#isClosed ? 0 : this.buffer.length - this.used;
  }

  /** Copies a batch in and returns where it starts. */
  add(batch: Buffer): number {
    const start = this.used;
    batch.copy(this.buffer, start);
    this.used += batch.length;
    return start;
  }

  /** Ends it at `used`. What lay behind is never written over: an answer on its way may be a view of it. */
  close(used: number): void {
    this.used = used;
    this.#isClosed = true;
  }
}

/** The segment for a batch that no longer fits into `last`; sizes grow with the log, so that small topics stay small. */
export function nextSegment(last: Segment | undefined, batchBytes: number): Segment {
  const grown = last === undefined ? FIRST_SEGMENT_BYTES : last.buffer.length * 4;
  return new Segment(Math.max(Math.min(grown, MAX_SEGMENT_BYTES), batchBytes));
}
