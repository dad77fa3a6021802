import type { Assignment, Share } from './assignment.ts';

/** A member as an assignor sees it. */
export interface MemberSpec {
  readonly instanceId: string | null;
  /** Of topics that exist. */
  readonly topicIds: readonly string[];
  /** What it was to have so far. */
  readonly assignment: Assignment;
}

/** What an assignor is given. */
export interface GroupSpec {
  /** In the order of Kafka's hash map. */
  readonly members: ReadonlyMap<string, MemberSpec>;
  /** All members are subscribed to the same topics. */
  readonly isHomogeneous: boolean;
  partitionsOf(topicId: string): number;
}

/** Gives every partition of the subscribed topics to one member. */
export type Assignor = (group: GroupSpec) => ReadonlyMap<string, Share>;
