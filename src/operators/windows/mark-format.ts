// A mark as it stands in the metadata of a commit: short names, lists as differences.
import type { IdleTime, Mark, Position } from './mark.ts';

/** Nobody is idle so often between a commit point and the newest value. */
const MOST_IDLE = 16;

interface Written {
  t?: number;
  e?: number;
  p?: Position;
  i?: readonly IdleTime[];
  l?: readonly number[];
  s?: readonly number[];
  m?: readonly number[];
}

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** With at most `most` entries in each list. What is missing must not be cut short: where it does not fit, no window counts as done. */
export function writeMark(
  { time, closed, position, idle, late, saved, missing }: Mark,
  most: number,
): Written {
  const written: Written = {};
  if (Number.isFinite(time)) written.t = time;
  if (Number.isFinite(closed) && missing.length <= most) {
    written.e = closed;
    if (missing.length > 0) written.m = toDifferences(missing);
  }
  if (position !== undefined) written.p = position;
  const idles = Math.min(idle.length, most, MOST_IDLE);
  if (idles > 0) written.i = idle.slice(idle.length - idles);
  if (late.length > 0 && most > 0) written.l = toDifferences(late.slice(0, most));
  if (saved.length > 0 && most > 0) written.s = toDifferences(saved.slice(0, most));
  return written;
}

/** Undefined for what is no mark. */
export function readMark(value: unknown): Mark | undefined {
  if (!isObject(value)) return undefined;
  const { t, e, p, i, l, s, m } = value;
  return {
    time: numberOr(t),
    closed: numberOr(e),
    position: isNumbers(p, 2) ? (p as unknown as Position) : undefined,
    idle: Array.isArray(i) ? i.filter((one): one is IdleTime => isNumbers(one, 3)) : [],
    late: fromDifferences(l),
    saved: fromDifferences(s),
    missing: fromDifferences(m),
  };
}

function numberOr(value: unknown): number {
  return typeof value === 'number' ? value : Number.NEGATIVE_INFINITY;
}

function isNumbers(value: unknown, length: number): value is readonly number[] {
  return Array.isArray(value) && value.length === length && value.every((one) => typeof one === 'number');
}

function toDifferences(places: readonly number[]): number[] {
  return places.map((place, at) => (at === 0 ? place : place - places[at - 1]!));
}

function fromDifferences(value: unknown): number[] {
  if (!Array.isArray(value)) return [];
  let place = 0;
  return value
    .filter((one): one is number => typeof one === 'number')
    .map((difference) => (place += difference));
}
