import { from } from 'rxjs';
import { UsageError } from '../errors.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { mergeInner } from '../flow/merge-inner.ts';
import { isFlow } from '../flow/stage-guard.ts';

/**
 * One flow of several: deliveries pass as they come, and it completes when all have.
 *
 * @acks Settles nothing: the same deliveries come out.
 *
 * @marbles
 * ```ts
 * const one = flow('a-b|');
 * const other = flow('-c--|');
 * expectFlow(merge(one, other)).toBe('acb-|');
 * expectAcks(one).toBe('a-b');
 * expectAcks(other).toBe('-c');
 * ```
 */
export function merge<B extends readonly unknown[]>(
  ...flows: { readonly [I in keyof B]: Flow<B[I]> }
): Flow<B[number]> {
  const all = flows as readonly Flow<B[number]>[];
  for (const [at, flow] of all.entries()) {
    if (!isFlow(flow)) throw new UsageError(`merge: argument ${at + 1} is not a Flow`);
  }
  return createFlow((out) => mergeInner<Flow<B[number]>, B[number]>(from(all), (flow) => flow, out));
}
