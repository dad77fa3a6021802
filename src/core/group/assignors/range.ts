// Kafka's range assignor.

import type { Assignor, MemberSubscription, PartitionRacks } from './assignor.ts';
import { compareMembers, Shares } from './members.ts';
import { rackOf, racksMatter } from './racks.ts';

/**
 * Per topic: subscribers in order, partitions in order, each gets a contiguous range, the first `partitions % subscribers` one more. Where members
 * and replicas have racks, partitions go first to members beside a replica, as far as the sizes allow; topics with the same subscribers and as
 * many partitions stay together. Equal to Java's RangeAssignor.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(partitionCounts, members, racks = new Map()) {
    const shares = new Shares(members);
    const ordered = [...members].sort(compareMembers);
    const topics: TopicRanges[] = [];
    for (const [topic, partitions] of partitionCounts) {
      const subscribers = ordered.filter((member) => member.topics.includes(topic));
      if (partitions > 0 && subscribers.length > 0)
        topics.push(new TopicRanges(topic, partitions, subscribers, racks, shares));
    }
    if (topics.some(({ racksMatter: matter }) => matter)) matchRacks(topics);
    for (const topic of topics) topic.assignRanges(() => true);
    return shares.finish();
  },
};

/** One topic while it is divided. */
class TopicRanges {
  readonly subscribers: readonly MemberSubscription[];
  readonly racksMatter: boolean;
  /** What may be divided together with others of the same key. */
  readonly kind: string;
  readonly partitions: number;
  private readonly topic: string;
  private readonly racks: readonly (readonly string[])[];
  private readonly shares: Shares;
  private readonly each: number;
  private withExtra: number;
  private readonly given = new Map<string, number>();
  private unassigned: number[];

  constructor(
    topic: string,
    partitions: number,
    subscribers: readonly MemberSubscription[],
    racks: PartitionRacks,
    shares: Shares,
  ) {
    this.topic = topic;
    this.partitions = partitions;
    this.subscribers = subscribers;
    this.shares = shares;
    this.each = Math.floor(partitions / subscribers.length);
    this.withExtra = partitions % subscribers.length;
    this.unassigned = Array.from({ length: partitions }, (_, at) => at);
    const memberRacks = subscribers.map(rackOf).filter((rack) => rack !== undefined);
    const known = racks.get(topic) ?? [];
    this.racks = this.unassigned.map((partition) => known[partition] ?? []);
    this.racksMatter = racksMatter(memberRacks, this.racks);
    const names = subscribers.map((member) => [member.memberId, rackOf(member) ?? null]);
    this.kind = JSON.stringify([memberRacks.length === 0 ? 0 : partitions, names]);
  }

  /** How many more the member may get. */
  room(memberId: string): number {
    const most = this.each + (this.withExtra > 0 ? 1 : 0);
    return Math.max(0, most - (this.given.get(memberId) ?? 0));
  }

  matches(member: MemberSubscription, partition: number): boolean {
    const rack = rackOf(member);
    return rack === undefined || this.racks[partition]!.includes(rack);
  }

  assign(memberId: string, partitions: readonly number[]): void {
    for (const partition of partitions) this.shares.give(memberId, this.topic, partition);
    const given = (this.given.get(memberId) ?? 0) + partitions.length;
    this.given.set(memberId, given);
    if (given > this.each) this.withExtra -= 1;
    this.unassigned = this.unassigned.filter((partition) => !partitions.includes(partition));
  }

  assignRanges(may: (member: MemberSubscription, partition: number) => boolean): void {
    for (const member of this.subscribers) {
      if (this.unassigned.length === 0) return;
      const room = this.room(member.memberId);
      const some = this.unassigned.filter((partition) => may(member, partition)).slice(0, room);
      if (some.length > 0) this.assign(member.memberId, some);
    }
  }
}

function matchRacks(topics: readonly TopicRanges[]): void {
  const kinds = new Map<string, TopicRanges[]>();
  for (const topic of topics) kinds.set(topic.kind, [...(kinds.get(topic.kind) ?? []), topic]);
  for (const alike of kinds.values()) {
    const first = alike[0]!;
    if (alike.length > 1) matchTogether(alike, first);
    else if (first.racksMatter) first.assignRanges((member, partition) => first.matches(member, partition));
  }
}

/** The same partition of each topic goes to the same member, or waits for the ranges. */
function matchTogether(topics: readonly TopicRanges[], { subscribers, partitions }: TopicRanges): void {
  const remaining = new Set(subscribers);
  const hasRacks = subscribers.some((member) => rackOf(member) !== undefined);
  for (let partition = 0; hasRacks && partition < partitions && remaining.size > 0; partition += 1) {
    for (const member of remaining) {
      const { memberId } = member;
      if (!topics.every((topic) => topic.matches(member, partition) && topic.room(memberId) > 0)) continue;
      for (const topic of topics) topic.assign(memberId, [partition]);
      if (topics.every((topic) => topic.room(memberId) === 0)) remaining.delete(member);
      break;
    }
  }
}
