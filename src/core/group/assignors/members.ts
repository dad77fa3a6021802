// The order in which Kafka's assignors walk members and topics.

import type { Assignment, MemberSubscription } from './assignor.ts';

/** Static members first, by their instance id, so that a restart keeps their place; then by member id. */
export function compareMembers(a: MemberSubscription, b: MemberSubscription): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
    return compareText(a.groupInstanceId, b.groupInstanceId);
  }
  if (a.groupInstanceId !== null) return -1;
  if (b.groupInstanceId !== null) return 1;
  return compareText(a.memberId, b.memberId);
}

/** By UTF-16 code units, as Java's `compareTo`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Collects what members are given, in any order. */
export class Shares {
  private readonly shares = new Map<string, Map<string, number[]>>();

  constructor(members: readonly MemberSubscription[]) {
    for (const { memberId } of members) this.shares.set(memberId, new Map());
  }

  give(memberId: string, topic: string, partition: number): void {
    const share = this.shares.get(memberId)!;
    const partitions = share.get(topic);
    if (partitions === undefined) share.set(topic, [partition]);
    else partitions.push(partition);
  }

  /** Each list ascending. */
  finish(): ReadonlyMap<string, Assignment> {
    for (const share of this.shares.values())
      for (const partitions of share.values()) partitions.sort((a, b) => a - b);
    return this.shares;
  }
}
