// Sets of partitions as groups write them: partition numbers by topic.

import type { Assignment } from './assignors/assignor.ts';

/** Nothing. */
export const NO_PARTITIONS: Assignment = new Map();

/** What is in `assignment` and not in `other`. */
export function without(assignment: Assignment, other: Assignment): Assignment {
  const left = new Map<string, readonly number[]>();
  for (const [topic, partitions] of assignment) {
    const taken = new Set(other.get(topic));
    const rest = partitions.filter((partition) => !taken.has(partition));
    if (rest.length > 0) left.set(topic, rest);
  }
  return left;
}

/** How many partitions are in it. */
export function countOf(assignment: Assignment): number {
  let count = 0;
  for (const partitions of assignment.values()) count += partitions.length;
  return count;
}

/** Whether the partition is in it. */
export function holds(assignment: Assignment, topic: string, partition: number): boolean {
  return assignment.get(topic)?.includes(partition) === true;
}

/** From a message: ascending, a topic that is named twice put together, topics without a partition left out. */
export function toAssignment(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): Assignment {
  const assignment = new Map<string, number[]>();
  for (const { topic, partitions } of topics) {
    if (partitions.length > 0)
      assignment.set(
        topic,
        [...(assignment.get(topic) ?? []), ...partitions].sort((a, b) => a - b),
      );
  }
  return assignment;
}

/** For a message. */
export function toTopicPartitions(
  assignment: Assignment,
): { topic: string; partitions: readonly number[] }[] {
  return [...assignment].map(([topic, partitions]) => ({ topic, partitions }));
}
