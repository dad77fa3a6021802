// How a group's leader divides partitions.

/** A member as its leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** What it subscribes to. */
  readonly topics: readonly string[];
  readonly userData: Buffer | null;
}

/** The partitions of one member by topic, each list ascending. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/** Divides the partitions of all subscribed topics among the members. */
export interface Assignor {
  /** Kafka's protocol name; every member of a group must offer a common one. */
  readonly name: string;
  /** `partitionCounts` holds every existing topic that a member subscribes to. The result has an entry for every member. */
  assign(
    partitionCounts: ReadonlyMap<string, number>,
    members: readonly GroupMember[],
  ): ReadonlyMap<string, Assignment>;
}
