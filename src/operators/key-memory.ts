import { UsageError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import type { Key } from '../flow/key.ts';

/** The options of stages that remember keys. */
interface KeyMemory<A> {
  readonly key: (value: A) => Key;
  readonly maxKeys: number;
  readonly withinMs?: number | undefined;
  readonly timestamp?: ((value: A) => number) | undefined;
}

/** @throws UsageError that names the stage and the option */
export function checkKeyMemory<A>(stage: string, { key, maxKeys, withinMs = Infinity }: KeyMemory<A>): void {
  if (typeof key !== 'function')
    throw new UsageError(`${stage}: key is a function from a value to its key`, 'key');
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new UsageError(`${stage}: maxKeys is a whole number from 1, not ${maxKeys}`, 'maxKeys');
  if (!(withinMs >= 0))
    throw new UsageError(`${stage}: withinMs is a number of milliseconds, not ${withinMs}`, 'withinMs');
}

/** The time of a value; 0 where no time counts. @throws UsageError when `timestamp` answers with none */
export function timeToRemember<A>(
  stage: string,
  { withinMs, timestamp }: KeyMemory<A>,
  delivery: Delivery<A>,
): number {
  if (withinMs === undefined) return 0;
  const time =
    timestamp === undefined ? handleOf(delivery).behind.newestTimestamp() : timestamp(delivery.value);
  if (Number.isFinite(time)) return time;
  throw new UsageError(`${stage}: timestamp answered ${String(time)}, which is no time`, 'timestamp');
}
