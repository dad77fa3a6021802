import type { Share } from './assignment.ts';
import type { GroupSpec } from './group-spec.ts';
import { assignAlike } from './uniform-alike.ts';
import { assignDifferent } from './uniform-different.ts';

/** Kafka's server-side `uniform`: as many partitions for every member as can be, and as few moves as that allows. */
export function assignUniform(group: GroupSpec): ReadonlyMap<string, Share> {
  return group.isHomogeneous ? assignAlike(group) : assignDifferent(group);
}
