// Kafka's cooperative sticky assignor.

import type { Assignor, MemberSubscription } from './assignor.ts';
import { divideSticky, sharesOf } from './sticky/divide.ts';
import { stickyGroup } from './sticky/group.ts';
import { decodeGeneration, encodeGeneration } from './sticky/user-data.ts';

/**
 * Divides as `stickyAssignor` does, but members keep what they hold while they join: what is to move is first given up by the one and given to the
 * other in a second round. Equal to Java's CooperativeStickyAssignor.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  protocols: ['cooperative', 'eager'],
  assign(partitionCounts, members, racks = new Map()) {
    const group = stickyGroup(partitionCounts, members, racks, (member) => ({
      partitions: member.ownedPartitions,
      generationId: generationOf(member),
    }));
    const { shares, moving } = divideSticky(group);
    return sharesOf(members, shares, moving);
  },
  userData: (_, last) => encodeGeneration(last?.generationId ?? -1),
};

/** Subscriptions before version 2 have it in the user data. */
function generationOf({ generationId, userData }: MemberSubscription): number {
  return generationId >= 0 ? generationId : decodeGeneration(userData);
}
