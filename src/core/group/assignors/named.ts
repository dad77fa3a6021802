// Kafka's own assignors by name.

import { UsageError } from '../../../errors.ts';
import type { Assignor } from './assignor.ts';
import { cooperativeStickyAssignor } from './cooperative-sticky.ts';
import { rangeAssignor } from './range.ts';
import { roundRobinAssignor } from './round-robin.ts';
import { stickyAssignor } from './sticky.ts';

/** The assignors that every Kafka client knows. */
export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky';

const BY_NAME: ReadonlyMap<string, Assignor> = new Map(
  [rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor].map((assignor) => [
    assignor.name,
    assignor,
  ]),
);

/** As Java's client: eager by range, with the way to cooperative-sticky open. */
export const DEFAULT_ASSIGNORS: readonly Assignor[] = [rangeAssignor, cooperativeStickyAssignor];

/** The assignors of a member; throws UsageError for a name nobody knows, and for one that comes twice. */
export function resolveAssignors(
  given: readonly (AssignorName | Assignor)[] | undefined,
): readonly Assignor[] {
  if (given === undefined) return DEFAULT_ASSIGNORS;
  if (!Array.isArray(given) || given.length === 0)
    throw new UsageError(
      `assignors must name at least one of ${names()}, or hold one of your own`,
      'assignors',
    );
  const assignors = given.map((one: AssignorName | Assignor) => {
    const assignor = typeof one === 'string' ? BY_NAME.get(one) : one;
    if (assignor === undefined)
      throw new UsageError(`assignors: '${one as string}' is none of ${names()}`, 'assignors');
    if (typeof assignor.name !== 'string' || assignor.name === '' || typeof assignor.assign !== 'function')
      throw new UsageError('assignors: one of your own has a name and a function assign', 'assignors');
    return assignor;
  });
  const twice = assignors.find(({ name }, at) => assignors.findIndex((one) => one.name === name) !== at);
  if (twice !== undefined) throw new UsageError(`assignors: '${twice.name}' comes twice`, 'assignors');
  return assignors;
}

function names(): string {
  return [...BY_NAME.keys()].map((name) => `'${name}'`).join(', ');
}
