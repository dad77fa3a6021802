import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { ClassicGroup } from './classic/classic-group.ts';
import { isSubscribedTo } from './classic/subscribed-topics.ts';
import type { CommittedOffsets } from './committed-offsets.ts';
import { checkConsumerCommit } from './consumer/commit-check.ts';
import type { ConsumerGroup } from './consumer/consumer-group.ts';
import type { CommitIdentity } from './group-types.ts';

/** A partition that a commit is for. */
export interface CommitTarget {
  readonly topicId: string;
  readonly partition: number;
}

/** A group with its commits. Its membership changes when the group goes from one protocol to the other. */
export interface Group {
  readonly id: string;
  readonly offsets: CommittedOffsets;
  membership: ClassicGroup | ConsumerGroup;
}

/** Nobody is in it; commits may remain. */
export function isEmpty({ membership }: Group): boolean {
  return membership.state === 'Empty';
}

/** The error for a commit to these partitions, 0 when it may be done. */
export function checkGroupCommit(
  { membership }: Group,
  from: CommitIdentity,
  targets: readonly CommitTarget[] | undefined,
): number {
  if (membership.type === 'classic') return membership.checkCommit(from);
  return checkConsumerCommit(membership, from, targets);
}

/** Some member reads the topic. */
export function readsTopic({ membership }: Group, topic: string): boolean {
  return membership.type === 'classic' ? isSubscribedTo(membership, topic) : membership.isSubscribedTo(topic);
}

/** The error for a request to delete commits of a group, 0 when that may be done for topics nobody reads. */
export function checkOffsetDelete({ membership }: Group): number {
  if (membership.type === 'consumer' || membership.state === 'Empty') return ERRORS.NONE;
  if (membership.state === 'Dead') return ERRORS.GROUP_ID_NOT_FOUND;
  return membership.members.protocolType === 'consumer' ? ERRORS.NONE : ERRORS.NON_EMPTY_GROUP;
}

/**
 * Since when a commit ages, by the cluster's clock: since it was made, or since the group is empty; undefined when none of the group's ages.
 */
export function agesSince({ membership }: Group): ((committedAtMs: number) => number) | undefined {
  if (membership.type === 'consumer' || membership.members.protocolType === null) return (atMs) => atMs;
  if (membership.state === 'Empty') return () => membership.stateSinceMs;
  const isRead = membership.state === 'Stable' && membership.members.protocolType === 'consumer';
  return isRead ? (atMs) => atMs : undefined;
}
