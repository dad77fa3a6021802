// Where the transactional copier's messages come from, with the pace of a poll loop: nothing of a transaction is given away while it is open.

import type { FetchedRecord, GroupMetadata, TransactionOffset } from '../core/index.ts';
import type { Clock } from '../core/clock.ts';

/** How long a poll waits for a first message, as in Kafka's tool. */
const POLL_MS = 200;

/** What the copier asks of one. */
export interface CopySource {
  /** Up to `most` messages, none when there are none in time. Between two polls the same partitions are read. */
  poll(most: number, stop: AbortSignal): Promise<readonly FetchedRecord[]>;
  /** Behind what was polled last, for every partition that is read. */
  positions(): TransactionOffset[];
  readonly group: GroupMetadata;
  /** A partition of what was polled last may have another owner by now. */
  readonly isLost: boolean;
  /** What was polled last is copied, and its offsets with it. */
  committed(): void;
  /** What was polled last is to come again: reading goes on at what is committed. */
  undone(): Promise<void>;
  close(): Promise<void>;
}

/** Records that were handed over and not polled yet. */
export class RecordQueue<T> {
  private readonly clock: Clock;
  private items: T[] = [];
  private wake: () => void = () => {};

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get length(): number {
    return this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
    if (this.items.length === 1) this.wake();
  }

  /** The oldest one that is of a kind. */
  find(chosen: (item: T) => boolean): T | undefined {
    return this.items.find(chosen);
  }

  /** Takes out those of a kind. */
  remove(chosen: (item: T) => boolean): T[] {
    const removed = this.items.filter(chosen);
    this.items = this.items.filter((item) => !chosen(item));
    return removed;
  }

  /** Whoever polls has to look at something else. */
  interrupt(): void {
    this.wake();
  }

  /**
   * Up to `most` records, after all that comes in the same go; none when there are none within a poll's time or when the signal aborts. `look` is
   * called at first and whenever a poll is interrupted.
   */
  async poll(most: number, stop: AbortSignal, look: () => Promise<void>): Promise<T[]> {
    const until = this.clock.now() + POLL_MS;
    for (;;) {
      await look();
      if (stop.aborted) return [];
      if (this.items.length > 0) break;
      const leftMs = until - this.clock.now();
      if (leftMs <= 0) return [];
      await this.wait(leftMs, stop);
    }
    for (let seen = 0; this.items.length < most && this.items.length > seen;) {
      seen = this.items.length;
      await new Promise<void>((resolve) => this.clock.defer(resolve));
    }
    return this.items.splice(0, most);
  }

  private wait(ms: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        stop.removeEventListener('abort', end);
        this.wake = () => {};
        resolve();
      };
      const timer = this.clock.setTimeout(end, ms);
      stop.addEventListener('abort', end, { once: true });
      this.wake = end;
    });
  }
}
