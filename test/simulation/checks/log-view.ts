// What the logs of the cluster came to hold, for checks that compare with it.
import { placeOf } from '../history/event.ts';
import type { Event, Isolation } from '../history/event.ts';

/** A record in a log. */
export interface Logged {
  readonly offset: number;
  readonly send: string;
  /** Index of its `appended` event. */
  readonly index: number;
  /** True when the marker that came first after it aborted it; undefined while its transaction is open. */
  readonly aborted: boolean | undefined;
}

interface Entry {
  readonly offset: number;
  readonly send: string;
  readonly index: number;
  readonly producerId: number | undefined;
  aborted: boolean | undefined;
}

/** One partition's log as it stood in the end. */
export class PartitionView {
  startOffset = 0;
  private entries: Entry[] = [];
  private offsets: number[] = [];

  append(offset: number, send: string, index: number, producerId: number | undefined): void {
    this.entries.push({
      offset,
      send,
      index,
      producerId,
      aborted: producerId === undefined ? false : undefined,
    });
    this.offsets.push(offset);
  }

  mark(offset: number, producerId: number, aborts: boolean): void {
    for (const entry of this.entries) {
      if (entry.producerId === producerId && entry.aborted === undefined && entry.offset < offset)
        entry.aborted = aborts;
    }
  }

  truncate(to: number): void {
    this.entries = this.entries.filter(({ offset }) => offset < to);
    this.offsets = this.entries.map(({ offset }) => offset);
  }

  get all(): readonly Logged[] {
    return this.entries;
  }

  at(offset: number): Logged | undefined {
    const found = this.entries[this.indexFrom(offset)];
    return found?.offset === offset ? found : undefined;
  }

  /** Records that a reader sees from `from` to before `to`, in order; deleted ones are left out. */
  visible(from: number, to: number, isolation: Isolation): Logged[] {
    const seen: Logged[] = [];
    for (let index = this.indexFrom(Math.max(from, this.startOffset)); index < this.entries.length; index++) {
      const entry = this.entries[index]!;
      if (entry.offset >= to) break;
      if (isolation === 'read_uncommitted' || entry.aborted === false) seen.push(entry);
    }
    return seen;
  }

  private indexFrom(offset: number): number {
    let low = 0;
    let high = this.offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const EMPTY = new PartitionView();

/** Every partition's log as it stood in the end. */
export class LogView {
  private readonly partitions = new Map<string, PartitionView>();

  constructor(events: readonly Event[]) {
    for (const [index, event] of events.entries()) {
      switch (event.kind) {
        case 'appended':
          this.make(placeOf(event)).append(event.offset, event.send, index, event.producerId);
          break;
        case 'marked':
          this.make(placeOf(event)).mark(event.offset, event.producerId, event.how === 'abort');
          break;
        case 'truncated':
          this.make(placeOf(event)).truncate(event.to);
          break;
        case 'deleted':
          this.make(placeOf(event)).startOffset = event.before;
          break;
      }
    }
  }

  of(place: string): PartitionView {
    return this.partitions.get(place) ?? EMPTY;
  }

  all(): IterableIterator<[string, PartitionView]> {
    return this.partitions.entries();
  }

  private make(place: string): PartitionView {
    let view = this.partitions.get(place);
    if (view === undefined) {
      view = new PartitionView();
      this.partitions.set(place, view);
    }
    return view;
  }
}
