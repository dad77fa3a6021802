// Partitions by topic id, as the coordinator counts them.

import { ZERO_UUID } from '../../protocol/schema.ts';

/** Sorted partition numbers by topic id; topics without any are left out. */
export type IdAssignment = ReadonlyMap<string, readonly number[]>;

/** As a request or an answer carries them. */
export type WireTopics = readonly { readonly topicId: string; readonly partitions: readonly number[] }[];

export const OWNS_NOTHING: IdAssignment = new Map();

export function readTopics(topics: WireTopics): IdAssignment {
  const read = new Map<string, readonly number[]>();
  for (const { topicId, partitions } of topics) {
    if (partitions.length === 0 || topicId === ZERO_UUID) continue;
    read.set(
      topicId,
      [...partitions].sort((a, b) => a - b),
    );
  }
  return read;
}

export function writeTopics(assignment: IdAssignment): WireTopics {
  return Array.from(assignment, ([topicId, partitions]) => ({ topicId, partitions }));
}

/** What is in `from` and not in `other`. */
export function minus(from: IdAssignment, other: IdAssignment): IdAssignment {
  const left = new Map<string, readonly number[]>();
  for (const [topicId, partitions] of from) {
    const taken = new Set(other.get(topicId));
    const rest = partitions.filter((partition) => !taken.has(partition));
    if (rest.length > 0) left.set(topicId, rest);
  }
  return left;
}

export function plus(one: IdAssignment, other: IdAssignment): IdAssignment {
  const all = new Map(one);
  for (const [topicId, partitions] of other) {
    const merged = new Set([...(all.get(topicId) ?? []), ...partitions]);
    all.set(
      topicId,
      [...merged].sort((a, b) => a - b),
    );
  }
  return all;
}

export function isSame(one: IdAssignment, other: IdAssignment): boolean {
  return minus(one, other).size === 0 && minus(other, one).size === 0;
}
