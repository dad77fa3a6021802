import { UsageError } from '../errors.ts';
import type { Flow } from '../flow/flow.ts';
import { checkKey, type Key } from '../flow/key.ts';
import type { Op } from '../flow/op.ts';
import type { StageOptions } from '../flow/policy.ts';
import { namedStage } from '../flow/value-stage.ts';
import { routing } from './routing.ts';

/** Options of {@link partitionBy}. */
export interface PartitionByOptions<A> extends StageOptions<A> {
  /** How many lanes there are. */
  readonly lanes: number;
}

/** FNV-1a with a last mix: equal keys give equal numbers, in every process. */
function hashOf(key: Key): number {
  let hash = 0x811c9dc5;
  if (key instanceof Uint8Array) {
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key[at]!, 0x01000193);
  } else {
    const text = String(key);
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Divides the values over a fixed number of lanes by a hash of their key, and merges what the lanes emit: equal keys go through the same lane, one after
 * another, and lanes do not wait for each other. `lane` is called once for each, with its flow and its number from 0. Where `groupByKey` makes a lane per key,
 * with a bound and an end, these are open as long as the flow: for work that a key only has to be in order for. They are per flow, or per claim inside
 * `eachClaim`.
 *
 * A `key` that throws is a failure of its value, which `onError` decides about. All lanes share the credit, so the slowest sets the pace in the end.
 *
 * @acks The lane settles its values. What goes to a lane that has ended is acknowledged, as by `filter`.
 *
 * @marbles
 * ```ts
 * const source = flow('ab-ab-|');
 * const lanes = partitionBy((value: string) => value, (lane, number) => lane.pipe(map((value) => `${value}${number}`)), { lanes: 2 });
 * expectFlow(source.pipe(lanes)).toBe('xy-xy-|', { x: 'a1', y: 'b0' });
 * expectAcks(source).toBe('ab-ab');
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(partitionBy((order) => order.key, (lane) => lane.pipe(batch({ maxRecords: 100, withinMs: 50 })), { lanes: 8 }));
 * ```
 */
export function partitionBy<A, B>(
  key: (value: A) => Key,
  lane: (flow: Flow<A>, number: number) => Flow<B>,
  options: PartitionByOptions<NoInfer<A>>,
): Op<A, B> {
  if (typeof key !== 'function') throw new UsageError('partitionBy: the first argument is a function', 'key');
  if (typeof lane !== 'function')
    throw new UsageError('partitionBy: the second argument is a function', 'lane');
  const { lanes } = options;
  if (!Number.isInteger(lanes) || lanes < 1)
    throw new UsageError(`partitionBy: lanes is a whole number from 1, not ${lanes}`, 'lanes');
  const numbers = Array.from(
    { length: lanes },
    (_, number): Op<A, B> =>
      (flow) =>
        lane(flow, number),
  );
  return routing<A>('partitionBy', namedStage<A>('partitionBy', options), numbers, (value) => {
    return hashOf(checkKey('partitionBy', key(value))) % lanes;
  }) as Op<A, B>;
}
