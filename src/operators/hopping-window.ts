import { UsageError } from '../errors.ts';
import type { Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import { fixedWindow, type WindowOptions } from './tumbling-window.ts';
import { checkMs } from './windows/window-options.ts';
import type { Windowed } from './windows/windowed.ts';

/** Options of {@link hoppingWindow}. */
export interface HoppingWindowOptions<in A, out K extends Key> extends WindowOptions<A, K> {
  /** A window begins at every multiple of it since 1970; at most `sizeMs`. */
  readonly advanceMs: number;
}

/**
 * Folds the values of each key into windows of `sizeMs` that begin every `advanceMs`, by event time, apart for each partition. A value is in every window that it
 * falls in, up to size / advance of them: late for one, it may be in time for the next, and goes to `late` only when all are closed. All else is as for
 * {@link tumblingWindow}.
 *
 * ```text
 * a3  a7  a15      size 10, advance 5
 * [0,10): a3 a7    [5,15): a7    [10,20): a15    [15,25): a15
 * ```
 *
 * @acks Holds its records, without their credit, until the rows of all windows they are in are settled; a refused row refuses them at once.
 *
 * @marbles
 * ```ts
 * const source = flow('a--b--|', { a: 3, b: 15 });
 * const counts = hoppingWindow({
 *   sizeMs: 10,
 *   advanceMs: 5,
 *   graceMs: 0,
 *   key: () => 'all',
 *   timestamp: (at: number) => at,
 *   onFull: 'fail',
 *   seed: () => 0,
 *   add: (n) => n + 1,
 * });
 * const rows = source.pipe(counts, map(({ start, value }) => `from ${start}: ${value}`));
 * expectFlow(rows).toBe('---x--(yz|)', { x: 'from 0: 1', y: 'from 10: 1', z: 'from 15: 1' });
 * expectAcks(source).toBe('---a--b');
 * ```
 *
 * @example
 * ```ts
 * hits.pipe(
 *   hoppingWindow({
 *     sizeMs: 60_000,
 *     advanceMs: 10_000,
 *     graceMs: 5_000,
 *     key: (h) => h.page,
 *     timestamp: (h) => h.at,
 *     onFull: 'fail',
 *     seed: () => 0,
 *     add: (n) => n + 1,
 *   }),
 * );
 * ```
 */
export function hoppingWindow<A, K extends Key, R>(
  options: HoppingWindowOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: NoInfer<R>, value: A) => NoInfer<R>;
  },
): Op<A, Windowed<K, R>> {
  const { sizeMs, advanceMs } = options;
  checkMs('hoppingWindow', 'sizeMs', sizeMs, 'above zero');
  checkMs('hoppingWindow', 'advanceMs', advanceMs, 'above zero');
  if (advanceMs > sizeMs) {
    throw new UsageError(
      `hoppingWindow: 'advanceMs' (${advanceMs}) is at most 'sizeMs' (${sizeMs}), or values between windows would be in none`,
      'advanceMs',
    );
  }
  return fixedWindow('hoppingWindow', options, sizeMs, advanceMs);
}
