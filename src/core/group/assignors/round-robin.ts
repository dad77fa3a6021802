// Kafka's round-robin assignor.

import type { Assignor } from './assignor.ts';
import { compareMembers, compareText, Shares } from './members.ts';

/** Deals the partitions of all topics out one after another; members that do not subscribe to a topic are skipped. Equal to Java's RoundRobinAssignor. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign(partitionCounts, members) {
    const shares = new Shares(members);
    const ordered = [...members].sort(compareMembers);
    const subscribed = new Set(members.flatMap(({ topics }) => topics));
    const topics = [...partitionCounts.keys()].filter((topic) => subscribed.has(topic)).sort(compareText);
    let next = 0;
    for (const topic of topics) {
      for (let partition = 0; partition < partitionCounts.get(topic)!; partition += 1) {
        while (!ordered[next]!.topics.includes(topic)) next = (next + 1) % ordered.length;
        shares.give(ordered[next]!.memberId, topic, partition);
        next = (next + 1) % ordered.length;
      }
    }
    return shares.finish();
  },
};
