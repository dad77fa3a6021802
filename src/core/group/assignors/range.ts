// Kafka's range assignor.

import type { Assignor, GroupMember } from './assignor.ts';

/**
 * Per topic: subscribers in order, partitions in order, each gets a contiguous range, the first `partitions % subscribers` one more. Equal to
 * Java's RangeAssignor for members without racks.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(partitionCounts, members) {
    const result = new Map<string, Map<string, number[]>>(
      members.map(({ memberId }) => [memberId, new Map<string, number[]>()]),
    );
    const ordered = [...members].sort(compareMembers);
    for (const [topic, partitions] of partitionCounts) {
      const subscribers = ordered.filter((member) => member.topics.includes(topic));
      const each = Math.floor(partitions / subscribers.length);
      let extra = partitions % subscribers.length;
      let next = 0;
      for (const { memberId } of subscribers) {
        const count = extra > 0 ? each + 1 : each;
        extra -= 1;
        if (count === 0) break;
        result.get(memberId)!.set(
          topic,
          Array.from({ length: count }, (_, at) => next + at),
        );
        next += count;
      }
    }
    return result;
  },
};

/** Static members first, by their instance id, so that a restart keeps their place; then by member id. */
function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
    return compareText(a.groupInstanceId, b.groupInstanceId);
  }
  if (a.groupInstanceId !== null) return -1;
  if (b.groupInstanceId !== null) return 1;
  return compareText(a.memberId, b.memberId);
}

/** By UTF-16 code units, as Java's `compareTo`. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
