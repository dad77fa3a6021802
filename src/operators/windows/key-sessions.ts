import type { OpenWindow } from './open-window.ts';

/** So many closed ones may stand before the open ones until they are taken out. */
const MOST_CLOSED = 32;

/** The open sessions of a key: apart from each other, ascending. */
export class KeySessions<R> {
  /** Where each key has a time of its own: the newest of its values. */
  time = Number.NEGATIVE_INFINITY;
  /** As well: what ends so much earlier, by gap and grace, is closed. */
  closed = Number.NEGATIVE_INFINITY;
  /** The open ones, from `first` on. */
  readonly list: OpenWindow<R>[] = [];
  first = 0;

  oldest(): OpenWindow<R> | undefined {
    return this.list[this.first];
  }

  open(): OpenWindow<R>[] {
    return this.list.slice(this.first);
  }

  /** The index after the last one that begins at or before a time. */
  countUpTo(time: number): number {
    const { list } = this;
    let low = this.first;
    let high = list.length;
    // Most values are new.
    if (high > low && list[high - 1]!.start <= time) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle]!.start <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The oldest one is closed. */
  drop(): void {
    this.first++;
    if (this.first < MOST_CLOSED || this.first * 2 < this.list.length) return;
    this.list.splice(0, this.first);
    this.first = 0;
  }

  clear(): void {
    this.list.length = 0;
    this.first = 0;
  }
}
