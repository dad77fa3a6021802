import { isObservable, type Observable } from 'rxjs';
import { UsageError } from '../../errors.ts';
import type { Key } from '../../flow/key.ts';
import type { StageOptions } from '../../flow/policy.ts';

/** What stages that work apart for each key of each claim take. */
export interface LaneOptions<A> extends StageOptions<A> {
  /** One lane for each key of a claim; without it, one for each claim. */
  readonly key?: ((value: A) => Key) | undefined;
  /**
   * How many lanes one claim may have at work at once. Beyond, the one that was quiet for longest is ended: it emits what it keeps, and begins anew with
   * the key's next value. Default 100,000.
   */
  readonly maxKeys?: number | undefined;
}

/** {@link LaneOptions} with a duration: a number of milliseconds, or the first value of an Observable, as in RxJS. */
export type DurationOptions<A> = LaneOptions<A> &
  (
    | { readonly durationMs: number; readonly duration?: undefined }
    | { readonly duration: (value: A) => Observable<unknown>; readonly durationMs?: undefined }
  );

export const DEFAULT_MAX_KEYS = 100_000;

/** Throws a UsageError for options that make no sense. */
export function checkLaneOptions<A>(operator: string, { key, maxKeys }: LaneOptions<A>): void {
  if (key !== undefined && typeof key !== 'function')
    throw new UsageError(`${operator}: key is a function from a value to its key`, 'key');
  if (maxKeys !== undefined && !(Number.isInteger(maxKeys) && maxKeys >= 1))
    throw new UsageError(`${operator}: maxKeys is a whole number from 1, not ${maxKeys}`, 'maxKeys');
}

/** Throws a UsageError for a duration that is none. */
export function checkDuration<A>(operator: string, options: DurationOptions<A>): void {
  checkLaneOptions(operator, options);
  const { durationMs, duration } = options;
  if (duration === undefined) checkMs(operator, 'durationMs', durationMs);
  else if (typeof duration !== 'function')
    throw new UsageError(`${operator}: duration is a function from a value to an Observable`, 'duration');
  else if ((durationMs as unknown) !== undefined)
    throw new UsageError(`${operator}: give durationMs or duration, not both`, 'duration');
}

/** Throws a UsageError for what is no time in milliseconds. */
export function checkMs(operator: string, option: string, value: number): void {
  if (!(value >= 0 && value < Infinity))
    throw new UsageError(`${operator}: ${option} is a number of milliseconds, not ${String(value)}`, option);
}

/** What a user's duration function answered, checked. */
export function checkObservable(operator: string, answer: Observable<unknown>): Observable<unknown> {
  if (isObservable(answer)) return answer;
  throw new UsageError(`${operator}: duration answers with an Observable, not ${typeof answer}`, 'duration');
}
