/** A transaction that was aborted in a partition. */
export interface AbortedTransaction {
  readonly producerId: number;
  /** Of its first record. */
  readonly firstOffset: number;
  /** Of its abort marker. */
  readonly lastOffset: number;
  /** The last stable offset once it was over; a search ends at the first entry where this reaches the end of the range. */
  readonly lastStableOffset: number;
}

const NONE: readonly AbortedTransaction[] = [];

/** The aborted transactions of a log in the order of their markers (Kafka's TransactionIndex). */
export class AbortedIndex {
  #entries: AbortedTransaction[] = [];

  add(entry: AbortedTransaction): void {
    this.#entries.push(entry);
  }

  all(): readonly AbortedTransaction[] {
    return this.#entries;
  }

  /** Those that overlap the offsets from `from` up to and without `to`. */
  overlapping(from: number, to: number): readonly AbortedTransaction[] {
    if (this.#entries.length === 0) return NONE;
    const found: AbortedTransaction[] = [];
    for (let at = this.#firstEndingAt(from); at < this.#entries.length; at++) {
      const entry = this.#entries[at]!;
      if (entry.firstOffset < to) found.push(entry);
      if (entry.lastStableOffset >= to) break;
    }
    return found;
  }

  /** Forgets those whose markers stand before `offset`. */
  dropBefore(offset: number): void {
    const keepFrom = this.#firstEndingAt(offset);
    if (keepFrom > 0) this.#entries.splice(0, keepFrom);
  }

  /** Forgets those whose markers stand at or after `offset`. */
  truncateTo(offset: number): void {
    this.#entries.length = this.#firstEndingAt(offset);
  }

  #firstEndingAt(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
