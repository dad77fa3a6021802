// What the soak of the operators reads: a line of numbers.

/** A value of the soak's flows. */
export interface Reading {
  /** Counts all records from 0. */
  readonly nth: number;
  /** One of few. */
  readonly device: number;
  /** A key that is used for a while and then never again. */
  readonly session: number;
  /** Event time; it goes on with the records, whatever the clock says, mostly in order. */
  readonly atMs: number;
  /** The record's timestamp. */
  readonly writtenMs: number;
}

const DEVICES = 100;
const SESSIONS = 500;
const RECORDS_OF_SESSIONS = 20_000;
const START_MS = 1_700_000_000_000;
const LATE_MS = 5_000;

/** Most are a little out of order, one in a thousand comes much too late. */
function lateMs(nth: number): number {
  return nth % 1_000 === 999 ? LATE_MS : (nth * 7_919) % 13;
}

/** The reading of a record whose value is its number. */
export function readingOf({
  value,
  timestamp,
}: {
  readonly value: string;
  readonly timestamp: number;
}): Reading {
  const nth = Number(value);
  return {
    nth,
    device: nth % DEVICES,
    session: (nth % SESSIONS) + SESSIONS * Math.floor(nth / RECORDS_OF_SESSIONS),
    atMs: START_MS + nth - lateMs(nth),
    writtenMs: timestamp,
  };
}
