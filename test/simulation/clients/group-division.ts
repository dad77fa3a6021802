// How the classic members of a scenario divide, and whether they are static; drawn from the seed, the same for all members of a run.
import type { Random } from '../../../src/core/clock.ts';
import type { GroupConsumerOptions } from '../../../src/core/group/options.ts';

const DIVISIONS = [
  undefined,
  ['cooperative-sticky'],
  ['cooperative-sticky'],
  ['sticky'],
  ['roundrobin'],
] as const;
const STATIC_SHARE = 0.25;

/** Options of the member with this name; `random` begins anew for each member. */
export function divisionOf(random: Random, name: string): Partial<GroupConsumerOptions> {
  const assignors = DIVISIONS[Math.floor(random() * DIVISIONS.length)];
  const isStatic = random() < STATIC_SHARE;
  return {
    ...(assignors === undefined ? {} : { assignors }),
    ...(isStatic ? { groupInstanceId: name } : {}),
  };
}
