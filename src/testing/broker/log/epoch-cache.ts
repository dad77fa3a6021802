/** Where an epoch ended; -1 and -1 when unknown. */
export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

/** Where an epoch began. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

const UNKNOWN: EpochEnd = { leaderEpoch: -1, endOffset: -1 };

/** The leader epochs of a log and where each began (Kafka's LeaderEpochFileCache). */
export class EpochCache {
  #starts: EpochStart[] = [];

  /** Oldest first. */
  all(): readonly EpochStart[] {
    return this.#starts;
  }

  begin(epoch: number, startOffset: number): void {
    // An epoch in which nothing was written leaves no trace.
    this.#starts = this.#starts.filter((known) => known.epoch < epoch && known.startOffset < startOffset);
    this.#starts.push({ epoch, startOffset });
  }

  /** The epoch under which the record at `offset` was written, -1 when unknown. */
  at(offset: number): number {
    let epoch = -1;
    for (const start of this.#starts) if (start.startOffset <= offset) epoch = start.epoch;
    return epoch;
  }

  /** The largest epoch up to `epoch`, and the offset after its last record. */
  endOf(epoch: number, logEndOffset: number): EpochEnd {
    const latest = this.#starts.at(-1);
    if (epoch < 0 || latest === undefined) return UNKNOWN;
    if (latest.epoch === epoch) return { leaderEpoch: epoch, endOffset: logEndOffset };
    const higher = this.#starts.find((start) => start.epoch > epoch);
    if (higher === undefined) return UNKNOWN;
    const floor = this.#starts.findLast((start) => start.epoch <= epoch);
    return { leaderEpoch: floor?.epoch ?? epoch, endOffset: higher.startOffset };
  }

  /** The log begins at `offset` now: epochs that ended before are forgotten. */
  dropBefore(offset: number): void {
    const first = this.#starts.findLastIndex((start) => start.startOffset <= offset);
    if (first < 0) return;
    const { epoch } = this.#starts[first]!;
    this.#starts.splice(0, first + 1, { epoch, startOffset: offset });
  }

  /** The log ends at `offset` now. */
  truncateTo(offset: number): void {
    this.#starts = this.#starts.filter((start) => start.startOffset < offset);
  }
}
