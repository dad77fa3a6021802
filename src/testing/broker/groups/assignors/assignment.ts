import { capacityOfCopy, intHash, JavaHashMap, uuidHash } from './java-hash-map.ts';

/** Partitions by topic id, both in the order in which Kafka keeps them: the next assignment depends on it. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export const NOTHING_ASSIGNED: Assignment = new Map();

/** An assignment in the making. */
export type Share = JavaHashMap<string, JavaHashMap<number, true>>;

/** A copy to change. */
export function shareOf(assignment: Assignment): Share {
  const share: Share = new JavaHashMap(uuidHash, assignment.size);
  for (const [topicId, partitions] of assignment) {
    const copy = new JavaHashMap<number, true>(intHash, capacityOfCopy(partitions.length));
    for (const partition of partitions) copy.set(partition, true);
    share.set(topicId, copy);
  }
  return share;
}

/** Takes a partition out of a share, and the topic with its last one. */
export function takeFrom(share: Share, topicId: string, partition: number): void {
  const partitions = share.get(topicId);
  partitions?.delete(partition);
  if (partitions?.size === 0) share.delete(topicId);
}

/** Puts a partition into a share; the first of a topic makes room for `expected` of them. */
export function putInto(share: Share, topicId: string, partition: number, expected?: number): void {
  let partitions = share.get(topicId);
  if (partitions === undefined) {
    partitions = new JavaHashMap(intHash, expected);
    share.setAbsent(topicId, partitions);
  }
  partitions.set(partition, true);
}

/** The share as the group keeps it: Kafka writes it to its log and reads it back into new maps. */
export function assignmentOf(share: Share): Assignment {
  const topics = new JavaHashMap<string, readonly number[]>(uuidHash);
  for (const topicId of share.keys()) topics.set(topicId, asKept(share.get(topicId)!.keys()));
  return new Map(topics.keys().map((topicId) => [topicId, topics.get(topicId)!]));
}

/** Partitions in the order of a new set made of them. */
export function asKept(partitions: readonly number[]): readonly number[] {
  const copy = new JavaHashMap<number, true>(intHash, capacityOfCopy(partitions.length));
  for (const partition of partitions) copy.set(partition, true);
  return copy.keys();
}

export function isSameAssignment(a: Assignment, b: Assignment): boolean {
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others?.length !== partitions.length) return false;
    const set = new Set(others);
    if (!partitions.every((partition) => set.has(partition))) return false;
  }
  return true;
}
