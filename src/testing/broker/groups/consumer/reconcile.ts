import type { Assignment } from '../assignors/assignment.ts';
import { OWNS_NOTHING } from './consumer-member.ts';
import type { ConsumerMember, MemberState, OwnedPartitions } from './consumer-member.ts';

/** What a member is brought towards, and what it says. */
export interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: Assignment;
  /** By id, as far as they exist. */
  readonly subscribedTopicIds: ReadonlySet<string>;
  readonly hasSubscriptionChanged: boolean;
  /** What the member says it owns; null when it does not say. */
  readonly owned: readonly ReportedPartitions[] | null;
  /** Some member, this one too, still has the partition. */
  isOwned(topicId: string, partition: number): boolean;
}

export interface ReportedPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

type Step = (member: ConsumerMember, to: Reconciliation) => ConsumerMember;

/** The next step of a member, by its state. The same member when there is nothing to do. */
const STEPS: Readonly<Record<MemberState, Step>> = {
  STABLE(member, to) {
    if (member.epoch !== to.targetEpoch) return advance(member, to);
    return to.hasSubscriptionChanged ? dropUnsubscribed(member, to) : member;
  },
  // It waits for the member to give partitions up.
  UNREVOKED_PARTITIONS(member, to) {
    if (!stillOwns(member.revoking, to)) return advance(member, to);
    return to.hasSubscriptionChanged ? dropUnsubscribed(member, to) : member;
  },
  // It waits for others to give partitions up.
  UNRELEASED_PARTITIONS: advance,
};

/** Brings a member nearer to its target: it gives up first, then gets what is free. */
export function reconcile(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  return STEPS[member.state](member, to);
}

function advance(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  const kept = new Map<string, Map<number, number>>();
  const revoking = new Map<string, Map<number, number>>();
  let isAnyUnreleased = false;
  for (const topicId of new Set([...to.target.keys(), ...member.assigned.keys()])) {
    const isSubscribed = to.subscribedTopicIds.has(topicId);
    const target = new Set(isSubscribed ? to.target.get(topicId) : undefined);
    const current = member.assigned.get(topicId) ?? new Map<number, number>();
    for (const [partition, epoch] of current)
      put(target.has(partition) ? kept : revoking, topicId, partition, epoch);
  }
  // Nothing new before the old is given up: the member stays in its epoch.
  if (revoking.size > 0 && stillOwns(revoking, to)) {
    return step(member, 'UNREVOKED_PARTITIONS', member.epoch, kept, revoking);
  }
  for (const [topicId, partitions] of to.target) {
    if (!to.subscribedTopicIds.has(topicId)) continue;
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition) === true) continue;
      const isFree = !to.isOwned(topicId, partition) || member.revoking.get(topicId)?.has(partition) === true;
      if (isFree) put(kept, topicId, partition, to.targetEpoch);
      else isAnyUnreleased = true;
    }
  }
  const state = isAnyUnreleased ? 'UNRELEASED_PARTITIONS' : 'STABLE';
  return step(member, state, to.targetEpoch, kept, OWNS_NOTHING);
}

/** What is no longer subscribed to goes at once, without waiting for a new target. */
function dropUnsubscribed(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  const kept = new Map<string, ReadonlyMap<number, number>>();
  const revoking = new Map<string, ReadonlyMap<number, number>>(member.revoking);
  for (const [topicId, partitions] of member.assigned) {
    if (to.subscribedTopicIds.has(topicId)) kept.set(topicId, partitions);
    else revoking.set(topicId, new Map([...(revoking.get(topicId) ?? []), ...partitions]));
  }
  if (kept.size === member.assigned.size) return member;
  if (stillOwns(revoking, to)) return step(member, 'UNREVOKED_PARTITIONS', member.epoch, kept, revoking);
  return step(member, member.state, member.epoch, kept, member.revoking);
}

/** The member has not said that it gave all of these up. */
function stillOwns(partitions: OwnedPartitions, { owned }: Reconciliation): boolean {
  if (owned === null) return true;
  return owned.some((topic) =>
    topic.partitions.some((one) => partitions.get(topic.topicId)?.has(one) === true),
  );
}

function step(
  member: ConsumerMember,
  state: MemberState,
  epoch: number,
  assigned: OwnedPartitions,
  revoking: OwnedPartitions,
): ConsumerMember {
  return { ...member, state, epoch, previousEpoch: member.epoch, assigned, revoking };
}

function put(
  into: Map<string, Map<number, number>>,
  topicId: string,
  partition: number,
  epoch: number,
): void {
  const partitions = into.get(topicId);
  if (partitions !== undefined) partitions.set(partition, epoch);
  else into.set(topicId, new Map([[partition, epoch]]));
}
