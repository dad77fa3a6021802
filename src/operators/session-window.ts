import { UsageError } from '../errors.ts';
import type { Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import { namedStage } from '../flow/value-stage.ts';
import { SessionLane, type SessionConfig } from './windows/session-lane.ts';
import { checkMs, laneConfig, type EventTimeOptions } from './windows/window-options.ts';
import { inWindows } from './windows/window-stage.ts';
import type { Windowed } from './windows/windowed.ts';

/** Options of {@link sessionWindow}. */
export interface SessionWindowOptions<in A, out K extends Key> extends EventTimeOptions<A, K> {
  /** Values of a key that are at most so far apart belong to one session, in milliseconds. */
  readonly gapMs: number;
}

/** How values of a session become its row. */
export interface SessionFold<A, R> {
  readonly seed: () => R;
  readonly add: (row: NoInfer<R>, value: A) => NoInfer<R>;
  /** Makes one row of two sessions that a value between them joins; the earlier one first. */
  readonly merge: (earlier: NoInfer<R>, later: NoInfer<R>) => NoInfer<R>;
}

/**
 * Folds the values of each key into sessions, by event time, apart for each partition: values at most `gapMs` apart belong together, and a value between two sessions
 * makes one of them. `start` and `end` are the times of the first and the last value, both inclusive.
 *
 * A session closes when stream time is more than `gapMs` and `graceMs` past its end. A value is late when the session it would be in ends more than that
 * before stream time: an old value is saved by a session that it belongs to. The rows are those of Kafka Streams' `SessionWindows`. With `emit: 'updates'`
 * a session that grows or joins another is taken back first, by a row whose value is null, which `toTopic` writes as a tombstone.
 *
 * ```text
 * a1 a4 . . . . . a20 . a12       gap 8, grace 10
 *                        a12 joins [1,4] and [20,20] to [1,20]
 * ```
 *
 * All else is as for {@link tumblingWindow}.
 *
 * @acks Holds its records, without their credit, until the row of their session is settled; late ones are settled, or go through `late`.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-c---|', { a: 1, b: 4, c: 20 });
 * const sessions = sessionWindow({
 *   gapMs: 5,
 *   graceMs: 0,
 *   key: () => 'all',
 *   timestamp: (at: number) => at,
 *   onFull: 'fail',
 *   seed: () => 0,
 *   add: (n) => n + 1,
 *   merge: (n, m) => n + m,
 * });
 * const rows = source.pipe(sessions, map(({ start, end, value }) => `${start} to ${end}: ${value}`));
 * expectFlow(rows).toBe('---x---(y|)', { x: '1 to 4: 2', y: '20 to 20: 1' });
 * expectAcks(source).toBe('---(ab)c');
 * ```
 *
 * @example
 * ```ts
 * hits.pipe(
 *   sessionWindow({
 *     gapMs: 1_800_000,
 *     graceMs: 60_000,
 *     key: (h) => h.page,
 *     timestamp: (h) => h.at,
 *     onFull: 'fail',
 *     seed: () => 0,
 *     add: (n) => n + 1,
 *     merge: (n, m) => n + m,
 *   }),
 * );
 * ```
 */
export function sessionWindow<A, K extends Key, R>(
  options: SessionWindowOptions<A, K> & { readonly emit?: 'final' | undefined } & SessionFold<A, R>,
): Op<A, Windowed<K, R>>;
export function sessionWindow<A, K extends Key, R>(
  options: SessionWindowOptions<A, K> & { readonly emit: 'updates' } & SessionFold<A, R>,
): Op<A, Windowed<K, R | null>>;
export function sessionWindow<A, K extends Key, R>(
  options: SessionWindowOptions<A, K> & SessionFold<A, R>,
): Op<A, Windowed<K, R>> {
  const operator = 'sessionWindow';
  const { gapMs, graceMs, merge, onFull, late } = options;
  checkMs(operator, 'gapMs', gapMs, 'above zero');
  if (typeof merge !== 'function') throw new UsageError(`${operator}: 'merge' is a function`, 'merge');
  const stage = namedStage<A>(operator, options);
  const config: SessionConfig<A, K, R> = {
    ...laneConfig<A, K, R>(operator, stage, options),
    gapMs,
    merge,
  };
  const describe = `a gap of ${gapMs} ms and ${graceMs} ms of grace`;
  return inWindows<A, K, R>(stage, {
    operator,
    onFull,
    late,
    describe,
    lane: (settlement, lanes) => new SessionLane(settlement, config, lanes),
  });
}
