import { from } from 'rxjs';
import { UsageError } from '../errors.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { mergeInner } from '../flow/merge-inner.ts';
import { isFlow } from '../flow/stage-guard.ts';

/** One flow of several: deliveries pass as they come, and it completes when all have. */
export function merge<B extends readonly unknown[]>(
  ...flows: { readonly [I in keyof B]: Flow<B[I]> }
): Flow<B[number]> {
  const all = flows as readonly Flow<B[number]>[];
  for (const [at, flow] of all.entries()) {
    if (!isFlow(flow)) throw new UsageError(`merge: argument ${at + 1} is not a Flow`);
  }
  return createFlow((out) => mergeInner<Flow<B[number]>, B[number]>(from(all), (flow) => flow, out));
}
