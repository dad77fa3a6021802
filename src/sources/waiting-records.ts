// Records between the client and their flow whose deserializer is not ready, and those behind them.
import type { Clock } from '../core/clock.ts';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import { Fifo } from '../flow/fifo.ts';

/** Where the records go, in the order in which they came. */
export interface Prepared {
  handOver(record: FetchedRecord, sequence: number): void;
  /** The deserializer could not be prepared for it. */
  refuse(record: FetchedRecord, sequence: number, cause: unknown): void;
  /** The last one has gone on. */
  onNoneWaiting(): void;
}

interface Waiting {
  readonly record: FetchedRecord;
  readonly sequence: number;
  ready: boolean;
  refusal: { readonly cause: unknown } | undefined;
}

/** One run of handing over may keep the event loop this long; it looks at the clock every so many records. */
const SLICE_MS = 8;
const LOOK_EVERY = 64;

/** One claim's line; the claim's credit bounds it. */
export class WaitingRecords {
  private readonly to: Prepared;
  private readonly clock: Clock;
  private readonly line = new Fifo<Waiting>();
  private scheduled = false;
  private paused = false;

  constructor(to: Prepared, clock: Clock) {
    this.to = to;
    this.clock = clock;
  }

  get size(): number {
    return this.line.size;
  }

  // Listened to at once: a refusal that nobody listens to ends the process, and it may come before its turn.
  push(record: FetchedRecord, sequence: number, ready: Promise<unknown> | undefined): void {
    const waiting: Waiting = { record, sequence, ready: ready === undefined, refusal: undefined };
    this.line.push(waiting);
    ready?.then(
      () => this.prepared(waiting),
      (cause: unknown) => {
        waiting.refusal = { cause };
        this.prepared(waiting);
      },
    );
  }

  pause(): void {
    this.paused = true;
  }

  /** Goes on in a moment, not now: a stage may be calling, with its record still on the way. */
  resume(): void {
    this.paused = false;
    this.goOnSoon();
  }

  /** Takes all out; `each` is told their sequences. */
  clear(each: (sequence: number) => void): void {
    for (let left = this.line.shift(); left !== undefined; left = this.line.shift()) each(left.sequence);
  }

  private prepared(waiting: Waiting): void {
    waiting.ready = true;
    if (this.line.peek() === waiting) this.goOnSoon();
  }

  // Many records tend to wait for one and the same schema: by then all of them know that they are ready.
  private goOnSoon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(this.goOn);
  }

  /** Up to the first record that is not ready; gives the event loop back now and then. */
  private readonly goOn = (): void => {
    this.scheduled = false;
    if (this.line.size === 0) return;
    let startMs = -1;
    for (let gone = 1; !this.paused && this.line.peek()?.ready === true; gone++) {
      const { record, sequence, refusal } = this.line.shift()!;
      if (refusal === undefined) this.to.handOver(record, sequence);
      else this.to.refuse(record, sequence, refusal.cause);
      if (gone % LOOK_EVERY !== 0) continue;
      const nowMs = this.clock.now();
      if (startMs < 0) startMs = nowMs;
      else if (nowMs - startMs > SLICE_MS) {
        this.scheduled = true;
        this.clock.defer(this.goOn);
        return;
      }
    }
    if (this.line.size === 0) this.to.onNoneWaiting();
  };
}
