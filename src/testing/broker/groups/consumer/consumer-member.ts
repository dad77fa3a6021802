import { capacityOfCopy, JavaHashMap, stringHash } from '../assignors/java-hash-map.ts';
import type { MemberProtocol } from '../group-types.ts';

/** How far a member is on its way to its target assignment, by Kafka's names. */
export type MemberState = 'STABLE' | 'UNREVOKED_PARTITIONS' | 'UNRELEASED_PARTITIONS';

/** Partitions by topic id, each with the epoch in which the member got it. */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** What makes a member of a consumer group one that speaks the classic protocol. */
export interface ClassicSide {
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

/** A member of a consumer group. Never changed: a step makes a new one. */
export interface ConsumerMember {
  readonly id: string;
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly state: MemberState;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topicNames: readonly string[];
  /** '' without one. */
  readonly topicRegex: string;
  /** Null when it has no preference. */
  readonly assignorName: string | null;
  /** What it may use. */
  readonly assigned: OwnedPartitions;
  /** What it has to give up first. */
  readonly revoking: OwnedPartitions;
  readonly classic: ClassicSide | null;
}

/** A static member that left for a while. */
export const LEFT_FOR_A_WHILE = -2;
export const LEFT = -1;

export const OWNS_NOTHING: OwnedPartitions = new Map();

export function newMember(id: string): ConsumerMember {
  return {
    id,
    epoch: 0,
    previousEpoch: -1,
    state: 'STABLE',
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    topicNames: [],
    topicRegex: '',
    assignorName: null,
    assigned: OWNS_NOTHING,
    revoking: OWNS_NOTHING,
    classic: null,
  };
}

/** Each name once, in the order in which Kafka keeps and shows them. */
export function asKeptNames(names: readonly string[]): readonly string[] {
  const sorted = [...new Set(names)].sort();
  const kept = new JavaHashMap<string, true>(stringHash, capacityOfCopy(sorted.length));
  for (const name of sorted) kept.set(name, true);
  return kept.keys();
}

/** The same partitions, got in the same epochs. */
export function ownsTheSame(a: OwnedPartitions, b: OwnedPartitions): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others?.size !== partitions.size) return false;
    for (const [partition, epoch] of partitions) if (others.get(partition) !== epoch) return false;
  }
  return true;
}

/** Every partition as if got in `epoch`. */
export function inEpoch(owned: OwnedPartitions, epoch: number): OwnedPartitions {
  return new Map(
    Array.from(owned, ([topicId, partitions]) => [
      topicId,
      new Map(Array.from(partitions.keys(), (partition) => [partition, epoch])),
    ]),
  );
}

export function isSubscribedAlike(a: ConsumerMember, b: ConsumerMember): boolean {
  if (a.topicNames.length !== b.topicNames.length) return false;
  const names = new Set(a.topicNames);
  return b.topicNames.every((name) => names.has(name));
}

/** Nothing is left to be done to reach the target of that epoch. */
export function isReconciled(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === 'STABLE' && member.epoch === targetEpoch;
}
