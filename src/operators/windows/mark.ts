/**
 * A moment in the reading of a partition that is the same when it is read again: an offset, and how many things have happened since the first value of it. Several values
 * may be made of one record, and time may pass after it.
 */
export type Position = readonly [offset: number, step: number];

/** A time that was reached without a value, because the partition was idle, or at its end. Per key it is the milliseconds that went by; -1 for the end. */
export type IdleTime = readonly [offset: number, step: number, time: number];

/** How far a stage's windows of one claim are. */
export interface Mark {
  /** Stream time, as the values before the committed offset made it. */
  readonly time: number;
  /** Stream time at the last closing of which everything is settled. */
  readonly closed: number;
  /** When that was; undefined where it does not matter. */
  readonly position: Position | undefined;
  readonly idle: readonly IdleTime[];
  /** Places of values that were late and, read again by themselves, would not be. */
  readonly late: readonly number[];
  /** Offsets of records that had not come when later ones closed windows: they are not done with those. */
  readonly missing: readonly number[];
  /** Places of settled values that, read again by themselves, would be late. */
  readonly saved: readonly number[];
}

/** A stage's windows of one claim. */
export interface Marked {
  /** For a commit at this offset. */
  markAt(offset: number): Mark;
}

/** Several values may be made of one record; in the lists of a mark so many fit into an offset. */
const PLACES = 1_024;

/** A position as one number, exact enough to know a value by. */
export function placeOf(offset: number, step: number): number {
  return offset + Math.min(step, PLACES - 1) / PLACES;
}

export function isBefore(
  offset: number,
  step: number,
  [otherOffset, otherStep]: Position | IdleTime,
): boolean {
  return offset < otherOffset || (offset === otherOffset && step < otherStep);
}
