import { ERRORS } from '../../../../core/protocol/error-codes.ts';
import type { CommitTarget } from '../group.ts';
import type { CommitIdentity } from '../group-types.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';

const EPOCHS_FROM = 9;

/** The error for a commit to a consumer group. An older epoch is fine for `targets` that the member had in it already. */
export function checkConsumerCommit(
  group: ConsumerGroup,
  from: CommitIdentity,
  targets: readonly CommitTarget[] | undefined,
): number {
  const { memberId, instanceId, generationId: epoch, isTransactional } = from;
  if (epoch < 0 && group.members.size === 0) return ERRORS.NONE;
  if (isTransactional && epoch === -1 && memberId === '' && instanceId === null) return ERRORS.NONE;
  const member = group.members.get(memberId);
  if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
  if (!isTransactional && member.classic === null && (from.version ?? 0) < EPOCHS_FROM) {
    return ERRORS.UNSUPPORTED_VERSION;
  }
  if (epoch === member.epoch) return ERRORS.NONE;
  const isOwn = (target: CommitTarget): boolean => epoch >= (ownedSince(member, target) ?? Infinity);
  if (epoch < member.epoch && targets?.every(isOwn) === true) return ERRORS.NONE;
  return staleEpoch(member, isTransactional);
}

/** The error for an OffsetFetch that says who asks. */
export function checkConsumerFetch(group: ConsumerGroup, memberId: string | null, epoch: number): number {
  if (memberId === null && epoch < 0) return ERRORS.NONE;
  const member = group.members.get(memberId ?? '');
  if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
  return member.epoch === epoch ? ERRORS.NONE : staleEpoch(member, false);
}

function ownedSince(member: ConsumerMember, { topicId, partition }: CommitTarget): number | undefined {
  return member.assigned.get(topicId)?.get(partition) ?? member.revoking.get(topicId)?.get(partition);
}

function staleEpoch(member: ConsumerMember, isTransactional: boolean): number {
  const isClassic = member.classic !== null || isTransactional;
  return isClassic ? ERRORS.ILLEGAL_GENERATION : ERRORS.STALE_MEMBER_EPOCH;
}
