import type { Flow } from '../flow/flow.ts';
import { pullSource } from './pull-source.ts';

/** Nominal size of a value whose size in memory cannot be told. */
const VALUE_BYTES = 64;

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, taken like those that must be awaited
async function* once<T>(source: Iterable<T>): AsyncGenerator<Iterable<T>, undefined> {
  yield source;
  return undefined;
}

/**
 * A flow of an iterable's values, pulled only while fewer than 40,000 of them are unsettled. Iterated anew by each subscription; completes when the
 * iterable does, and closes it (`return()`) when the flow ends early.
 *
 * @example
 * ```ts
 * await lastValueFrom(fromIterable(['a', 'b']).pipe(toTopic('letters', (value) => ({ value })), settle()));
 * ```
 */
export function fromIterable<T>(source: Iterable<T>): Flow<T> {
  return pullSource({ name: 'iterable', open: () => once(source), sizeOf: () => VALUE_BYTES });
}
