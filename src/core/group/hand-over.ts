// What one member of a cooperative group holds and another is given at once would be read by both.

import { UsageError } from '../../errors.ts';
import type { Assignment, MemberSubscription } from './assignors/assignor.ts';

/**
 * The division without what its new owner may not have yet, because a member has to give it up first. A claim that was overtaken (a newer
 * generation went on without that member, or two members make the same claim) is nothing an assignor must know of: the partition is left out, and
 * given in the round after the claim is dropped. Throws UsageError where the assignor gave away what a member holds by right.
 */
export function withoutHandOvers(
  name: string,
  members: readonly MemberSubscription[],
  divided: ReadonlyMap<string, Assignment>,
): ReadonlyMap<string, Assignment> {
  const holders = holdersOf(members);
  const newest = Math.max(...members.map(({ generationId }) => generationId));
  const result = new Map<string, Assignment>();
  for (const [memberId, assignment] of divided) {
    const kept = new Map<string, readonly number[]>();
    for (const [topic, partitions] of assignment) {
      const free = partitions.filter((partition) => {
        const claims = holders.get(`${topic}-${partition}`) ?? [];
        if (claims.length === 0 || claims.some((holder) => holder.memberId === memberId)) return true;
        const holder = claims[0]!;
        if (claims.length > 1 || holder.generationId < newest) return false;
        throw new UsageError(
          `Assignor '${name}' is cooperative and gave ${topic}-${partition} to ${memberId} while ${holder.memberId} still holds it; leave it out of this division`,
          'assignors',
        );
      });
      if (free.length > 0) kept.set(topic, free);
    }
    result.set(memberId, kept);
  }
  return result;
}

function holdersOf(members: readonly MemberSubscription[]): ReadonlyMap<string, MemberSubscription[]> {
  const holders = new Map<string, MemberSubscription[]>();
  for (const member of members)
    for (const [topic, partitions] of member.ownedPartitions)
      for (const partition of partitions) {
        const name = `${topic}-${partition}`;
        const known = holders.get(name);
        if (known === undefined) holders.set(name, [member]);
        else known.push(member);
      }
  return holders;
}
