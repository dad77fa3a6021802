// The fetch connections of one broker and how long a fetch may wait on each.

/** The wait on the last free connection: it has to be free again before a reader that regains room has waited 5 ms. */
const LAST_SLOT_WAIT_MS = 3;
/** Long polls that end this close together are worth waiting for: their partitions then share one request. */
const TOGETHER_MS = 4;

/**
 * A broker answers one request at a time per connection. While one fetch waits for idle partitions, another connection serves the busy ones;
 * long polls end at the same time, so that they fall back into one; the last free connection never waits long.
 */
export class FetchSlots {
  /** When the poll of each slot ends if nothing comes; undefined for a free one. */
  private readonly ends: (number | undefined)[];
  private readonly maxWaitMs: number;

  constructor(slots: number, maxWaitMs: number) {
    this.ends = new Array<number | undefined>(slots).fill(undefined);
    this.maxWaitMs = maxWaitMs;
  }

  /** Index of a free slot, -1 when there is none. */
  free(): number {
    return this.ends.indexOf(undefined);
  }

  /** Takes a slot; returns how long its fetch may wait. */
  take(slot: number, nowMs: number): number {
    const lastFree = this.ends.length > 1 && this.ends.every((end, at) => at === slot || end !== undefined);
    const running = this.latestEnd();
    const aligned = running === undefined || running <= nowMs ? this.maxWaitMs : running - nowMs;
    const waitMs = Math.round(Math.min(this.maxWaitMs, aligned, lastFree ? LAST_SLOT_WAIT_MS : Infinity));
    this.ends[slot] = nowMs + waitMs;
    return waitMs;
  }

  release(slot: number): void {
    this.ends[slot] = undefined;
  }

  /** Milliseconds until the polls that end about now are back, 0 when there are none. */
  togetherIn(nowMs: number): number {
    let waitMs = 0;
    for (const end of this.ends)
      if (end !== undefined && Math.abs(end - nowMs) <= TOGETHER_MS) waitMs = TOGETHER_MS;
    return waitMs;
  }

  private latestEnd(): number | undefined {
    let latest: number | undefined;
    for (const end of this.ends) if (end !== undefined && end > (latest ?? -Infinity)) latest = end;
    return latest;
  }
}
