// How a group's leader divides partitions.

import type { Generation } from '../committer.ts';

/** The partitions of one member by topic, each list ascending. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/** What a member was assigned last, and in which generation. */
export interface LastAssignment {
  readonly assignment: Assignment;
  readonly generationId: number;
}

/** A member as its leader sees it. */
export interface MemberSubscription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** What it subscribes to. */
  readonly topics: readonly string[];
  readonly userData: Buffer | null;
  /** What it still holds while it joins: empty from members that give everything up first. */
  readonly ownedPartitions: Assignment;
  /** Its last generation; -1 when it had none or is too old to say. */
  readonly generationId: number;
  /** Where it runs, as the brokers' `broker.rack`. */
  readonly rackId: string | null;
}

/** By topic and partition, the racks of the replicas. Topics of which no rack is known may be left out. */
export type PartitionRacks = ReadonlyMap<string, readonly (readonly string[])[]>;

/**
 * - eager: a member gives up everything before it joins
 * - cooperative: a member keeps everything, and gives up what the new assignment lacks in a second round
 */
export type RebalanceProtocol = 'eager' | 'cooperative';

/**
 * Divides the partitions of all subscribed topics among the members. It must hold no state of one member: an assignor may serve many groups at a
 * time; what a member was assigned last comes back to it in `userData`.
 */
export interface Assignor {
  /** Kafka's protocol name; every member of a group must offer a common one. */
  readonly name: string;
  /**
   * Default eager only. A member joins cooperatively when all its assignors can. A cooperative assignor must leave out of the division what one
   * member still holds and another is to have: it is given in the round after it was given up.
   */
  readonly protocols?: readonly RebalanceProtocol[] | undefined;
  /** `partitionCounts` holds every existing topic that a member subscribes to. The result has an entry for every member. */
  assign(
    partitionCounts: ReadonlyMap<string, number>,
    members: readonly MemberSubscription[],
    racks?: PartitionRacks,
  ): ReadonlyMap<string, Assignment>;
  /** What the member sends with its subscription to whoever leads; asked before each join. DescribeGroups shows it. Default none. */
  userData?(topics: readonly string[], last: LastAssignment | undefined): Buffer | null;
  /** What the leader sends along with a member's assignment. Default none. */
  assignmentUserData?(memberId: string, assignment: Assignment): Buffer | null;
  /** Called on every member with what a division by this assignor gave it. What it throws ends the membership. */
  onAssignment?(assignment: Assignment, generation: Generation, userData: Buffer | null): void;
}

/** Whether members with these assignors keep their claims while they rejoin. */
export function isCooperative(assignors: readonly Assignor[]): boolean {
  return assignors.every(({ protocols }) => protocols?.includes('cooperative') === true);
}
