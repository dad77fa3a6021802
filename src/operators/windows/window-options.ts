import { UsageError } from '../../errors.ts';
import type { Key } from '../../flow/key.ts';
import type { Op } from '../../flow/op.ts';
import type { StageOptions } from '../../flow/policy.ts';
import type { NamedStage } from '../../flow/value-stage.ts';
import type { LaneConfig } from './lane-config.ts';

/** What the event-time windows have in common; options of {@link tumblingWindow} with the size. */
export interface EventTimeOptions<in A, out K extends Key> extends StageOptions<A> {
  /**
   * How much later than the newest value a value may come and still be counted, in milliseconds from 0. Windows close so much after their end; there is no
   * default, because every choice is a trade of waiting for losing.
   */
  readonly graceMs: number;
  /** One row for each key and window. A value whose key is null is settled and not counted, and moves no time, as in Kafka Streams. */
  readonly key: (value: A) => K;
  /** Event time of a value, milliseconds since 1970. Default: the newest timestamp of the records behind it. */
  readonly timestamp?: ((value: A) => number) | undefined;
  /**
   * What becomes of a value whose timestamp is negative or no number. 'fail' (default): the stage fails for it, see `onError`. 'skip': it is settled and not counted.
   * 'use-stream-time': it counts as if it had the newest timestamp so far, and fails where there is none. Kafka Streams' FailOnInvalidTimestamp,
   * LogAndSkipOnInvalidTimestamp and UsePartitionTimeOnInvalidTimestamp.
   */
  readonly onInvalidTimestamp?: 'fail' | 'skip' | 'use-stream-time' | undefined;
  /** When the source's span is full of what open windows hold: emit them early (`final: false`), or fail. */
  readonly onFull: 'emit-partial' | 'fail';
  /** What becomes of a value whose windows are closed; default 'drop', which settles it. */
  readonly late?: Op<A, unknown> | 'drop' | undefined;
  /** 'final' (default): one row for a window, when it closes. 'updates': besides, a row with `final: false` after every value. */
  readonly emit?: 'final' | 'updates' | undefined;
  /**
   * Whose newest timestamp closes windows: that of the partition (default), or of each key by itself, which suits devices whose clocks or connections differ; then a
   * key that gets no more values closes nothing.
   */
  readonly streamTime?: 'partition' | 'key' | undefined;
  /** With streamTime 'key': how many keys of one claim may have a time; a value with one more fails. Default 100,000. */
  readonly maxKeys?: number | undefined;
  /**
   * Lets time go on by the clock where a claim is idle: when all that is in its partition was handed over, and nothing has come for so many milliseconds. Default: only
   * values move time, and the last windows of a partition wait for the next value.
   */
  readonly idleMs?: number | undefined;
}

const DEFAULT_MAX_KEYS = 100_000;

/** Throws a UsageError for a number that is not a time span. */
export function checkMs(
  operator: string,
  option: string,
  value: unknown,
  least: 'above zero' | 'from zero',
): void {
  const isOne =
    typeof value === 'number' && (least === 'from zero' ? value >= 0 : value > 0) && value < Infinity;
  if (isOne) return;
  throw new UsageError(
    `${operator}: '${option}' is a number of milliseconds ${least}, not ${String(value)}`,
    option,
  );
}

function checkOneOf(operator: string, option: string, value: unknown, names: readonly string[]): void {
  if (names.includes(value as string)) return;
  throw new UsageError(
    `${operator}: '${option}' is ${names.map((name) => `'${name}'`).join(' or ')}, not ${JSON.stringify(value)}`,
    option,
  );
}

/** Checks what all event-time windows take, and fills in what was left out. */
export function laneConfig<A, K extends Key, R>(
  operator: string,
  stage: NamedStage<A>,
  options: EventTimeOptions<A, K> & {
    readonly seed: () => R;
    readonly add: (row: R, value: A) => R;
  },
): LaneConfig<A, K, R> {
  const {
    graceMs,
    idleMs,
    key,
    timestamp,
    seed,
    add,
    onFull,
    late,
    onInvalidTimestamp = 'fail',
    emit = 'final',
    streamTime = 'partition',
    maxKeys = DEFAULT_MAX_KEYS,
  } = options;
  checkMs(operator, 'graceMs', graceMs, 'from zero');
  if (idleMs !== undefined) checkMs(operator, 'idleMs', idleMs, 'above zero');
  checkOneOf(operator, 'onFull', onFull, ['emit-partial', 'fail']);
  checkOneOf(operator, 'emit', emit, ['final', 'updates']);
  checkOneOf(operator, 'streamTime', streamTime, ['partition', 'key']);
  checkOneOf(operator, 'onInvalidTimestamp', onInvalidTimestamp, ['fail', 'skip', 'use-stream-time']);
  if (late !== undefined && late !== 'drop' && typeof late !== 'function')
    throw new UsageError(`${operator}: 'late' is 'drop' or an operator`, 'late');
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new UsageError(`${operator}: 'maxKeys' is a whole number from 1, not ${maxKeys}`, 'maxKeys');
  for (const [option, value] of Object.entries({ key, seed, add })) {
    if (typeof value !== 'function') throw new UsageError(`${operator}: '${option}' is a function`, option);
  }
  return {
    operator,
    stage: stage.name,
    graceMs,
    key,
    timestamp,
    onInvalidTimestamp,
    perKey: streamTime === 'key',
    maxKeys,
    idleMs,
    updates: emit === 'updates',
    tellsLate: typeof late === 'function',
    seed,
    add,
  };
}
