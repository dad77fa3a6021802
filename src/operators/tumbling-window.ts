import type { Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import { namedStage } from '../flow/value-stage.ts';
import { FixedLane, type FixedConfig } from './windows/fixed-lane.ts';
import { checkMs, laneConfig, type EventTimeOptions } from './windows/window-options.ts';
import { inWindows } from './windows/window-stage.ts';
import type { Windowed } from './windows/windowed.ts';

/** Options of {@link tumblingWindow}. */
export interface WindowOptions<in A, out K extends Key> extends EventTimeOptions<A, K> {
  /** How long a window is, in milliseconds. Windows begin at multiples of it since 1970. */
  readonly sizeMs: number;
}

/**
 * Folds the values of each key into windows of `sizeMs` by event time, apart for each partition: [start, end), aligned to multiples of the size since 1970.
 *
 * A window closes when stream time, the newest timestamp of its partition (or key), is `graceMs` or more past its end. Then its row is emitted, with
 * `final: true`. A value whose window is closed by the time it comes, after it has moved stream time itself, is late. The rows are those of Kafka Streams'
 * `TimeWindows` with `suppress(untilWindowCloses)`; with `emit: 'updates'` those without, and each window's last row besides.
 *
 * ```text
 * a1 a4  b9  a12      a15        size 10, grace 5
 *        closes [0,10) ^  -> {a, 0..10, 2} {b, 0..10, 1}
 * ```
 *
 * When a claim is given away its open windows are dropped unsettled, so that the next owner folds them whole; how far windows are closed and settled goes with the
 * commits, in their metadata, so that nobody folds them again. For that the order of the input must be that of the partition: no `mapAsync` with order
 * 'none' before it. The end of a finite flow closes all windows. Give windows of one flow different `name`s.
 *
 * Throws a UsageError for options that are out of range. What `key`, `timestamp`, `seed` or `add` throw is handled by `onError`, and counts the value
 * nowhere; so does a value without a timestamp.
 *
 * @acks Holds its records, without their credit, until the row of their window is settled; late ones are settled, or go through `late`.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-c---|', { a: 1, b: 4, c: 15 });
 * const counts = tumblingWindow({
 *   sizeMs: 10,
 *   graceMs: 0,
 *   key: () => 'all',
 *   timestamp: (at: number) => at,
 *   onFull: 'fail',
 *   seed: () => 0,
 *   add: (n) => n + 1,
 * });
 * const rows = source.pipe(counts, map(({ start, value }) => `from ${start}: ${value}`));
 * expectFlow(rows).toBe('---x---(y|)', { x: 'from 0: 2', y: 'from 10: 1' });
 * expectAcks(source).toBe('---(ab)c');
 * ```
 *
 * @example
 * ```ts
 * hits.pipe(
 *   tumblingWindow({ sizeMs: 60_000, graceMs: 5_000, key: (h) => h.page, timestamp: (h) => h.at, onFull: 'emit-partial', seed: () => 0, add: (n) => n + 1 }),
 * );
 * ```
 */
export function tumblingWindow<A, K extends Key, R>(
  options: WindowOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: NoInfer<R>, value: A) => NoInfer<R>;
  },
): Op<A, Windowed<K, R>> {
  const { sizeMs } = options;
  checkMs('tumblingWindow', 'sizeMs', sizeMs, 'above zero');
  return fixedWindow('tumblingWindow', options, sizeMs, sizeMs);
}

/** Windows that all have one size. */
export function fixedWindow<A, K extends Key, R>(
  operator: string,
  options: EventTimeOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: R, value: A) => R;
  },
  sizeMs: number,
  advanceMs: number,
): Op<A, Windowed<K, R>> {
  const stage = namedStage<A>(operator, options);
  const config: FixedConfig<A, K, R> = { ...laneConfig(operator, stage, options), sizeMs, advanceMs };
  const { onFull, late, graceMs } = options;
  const describe = `${sizeMs} ms and ${graceMs} ms of grace`;
  return inWindows<A, K, R>(stage, {
    operator,
    onFull,
    late,
    describe,
    lane: (settlement, lanes) => new FixedLane(settlement, config, lanes),
  });
}
