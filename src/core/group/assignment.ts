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

/** Whether the partition is in it. */
export function holds(assignment: Assignment, topic: string, partition: number): boolean {
  return assignment.get(topic)?.includes(partition) === true;
}
