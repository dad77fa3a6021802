import { randomUuid } from '../../state/ids.ts';
import { isRefusal, refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';
import { ASSIGNORS } from './assignor-choice.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import {
  asKeptNames,
  inEpoch,
  LEFT,
  LEFT_FOR_A_WHILE,
  newMember,
  OWNS_NOTHING,
  ownsTheSame,
} from './consumer-member.ts';
import type { ConsumerMember, OwnedPartitions } from './consumer-member.ts';
import type { ReportedPartitions } from './reconcile.ts';

/** A ConsumerGroupHeartbeat request without its wire form. Null: as before. */
export interface HeartbeatRequest {
  readonly version: number;
  readonly groupId: string;
  readonly memberId: string;
  /** 0 joins, -1 leaves, -2 leaves for a while. */
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** -1: as before. */
  readonly rebalanceTimeoutMs: number;
  readonly topicNames: readonly string[] | null;
  readonly topicRegex: string | null;
  readonly assignorName: string | null;
  readonly owned: readonly ReportedPartitions[] | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface HeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  /** 0 to a member that left. */
  readonly heartbeatIntervalMs: number;
  /** Null: as before. */
  readonly assigned: OwnedPartitions | null;
}

/** Whom a request is from: what the group knew of it, and the static member whose place it takes. */
interface Sender {
  readonly former: ConsumerMember;
  readonly replaces?: ConsumerMember;
}

const invalid = (message: string): Refusal => refuse('INVALID_REQUEST', message);

/** What is wrong with a request, whatever group it is for. */
export function checkHeartbeat(request: HeartbeatRequest): Refusal | undefined {
  const { memberEpoch, version } = request;
  const needsId = version >= 1 || memberEpoch > 0 || memberEpoch === LEFT;
  if (needsId && request.memberId.trim() === '') return invalid("MemberId can't be empty.");
  if (request.groupId.trim() === '') return invalid("GroupId can't be empty.");
  if (request.instanceId?.trim() === '') return invalid("InstanceId can't be empty.");
  if (request.rackId?.trim() === '') return invalid("RackId can't be empty.");
  if (memberEpoch === 0) {
    const problem = checkJoin(request);
    if (problem !== undefined) return problem;
  } else if (memberEpoch === LEFT_FOR_A_WHILE) {
    if (request.instanceId === null) return invalid("InstanceId can't be null.");
  } else if (memberEpoch < LEFT_FOR_A_WHILE) return invalid('MemberEpoch is invalid.');
  return checkAssignor(request.assignorName);
}

function checkJoin(request: HeartbeatRequest): Refusal | undefined {
  if (request.rebalanceTimeoutMs === -1)
    return invalid('RebalanceTimeoutMs must be provided in first request.');
  if (request.owned?.length !== 0) return invalid('TopicPartitions must be empty when (re-)joining.');
  if (request.topicNames === null && request.topicRegex === null) {
    return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
  }
  return undefined;
}

function checkAssignor(name: string | null): Refusal | undefined {
  if (name === null || ASSIGNORS.has(name)) return undefined;
  const supported = [...ASSIGNORS.keys()].join(', ');
  return refuse(
    'UNSUPPORTED_ASSIGNOR',
    `ServerAssignor ${name} is not supported. Supported assignors: ${supported}.`,
  );
}

/** A heartbeat that is no leave: joins where it says so, and takes the member a step further. */
export function heartbeat(group: ConsumerGroup, request: HeartbeatRequest): HeartbeatResult | Refusal {
  const { timings, random } = group.environment;
  if (group.isFullFor(request.memberId)) return fullGroup(timings.consumerMaxSize);
  const memberId = request.memberId === '' ? randomUuid(random) : request.memberId;
  const sender = findSender(group, memberId, request);
  if (isRefusal(sender)) return sender;
  const { former, replaces } = sender;
  const updated = withWhatItSays(former, request);
  const problem = group.regexes.check(updated.topicRegex, group.members.values());
  if (problem !== undefined) return problem;
  const { owned } = request;
  const stepped = group.update({ former, updated, replaces, owned, bumpsForRegex: false });
  group.keepAlive(memberId);
  const saysAll =
    request.rebalanceTimeoutMs !== -1 &&
    (request.topicNames !== null || request.topicRegex !== null) &&
    owned !== null;
  const mustSay = request.memberEpoch === 0 || saysAll || !ownsTheSame(former.assigned, stepped.assigned);
  return {
    memberId,
    memberEpoch: stepped.epoch,
    heartbeatIntervalMs: timings.consumerHeartbeatIntervalMs,
    assigned: mustSay ? stepped.assigned : null,
  };
}

/** A heartbeat that leaves, for good or for a while. */
export function leave(group: ConsumerGroup, request: HeartbeatRequest): HeartbeatResult | Refusal {
  const { memberId, memberEpoch, instanceId } = request;
  const member = instanceId === null ? group.members.get(memberId) : group.byInstance(instanceId);
  if (member === undefined)
    return instanceId === null ? notAMember(group, memberId) : unknownInstance(instanceId);
  if (instanceId !== null && member.id !== memberId) return fencedInstance(request, member);
  if (memberEpoch === LEFT_FOR_A_WHILE) {
    const assigned = inEpoch(member.assigned, 0);
    group.put({ ...member, epoch: LEFT_FOR_A_WHILE, revoking: OWNS_NOTHING, assigned });
    group.environment.changed();
  } else group.fence(new Set([member.id]));
  return { memberId, memberEpoch, heartbeatIntervalMs: 0, assigned: null };
}

function findSender(group: ConsumerGroup, memberId: string, request: HeartbeatRequest): Sender | Refusal {
  const joins = request.memberEpoch === 0;
  const known = group.members.get(memberId);
  if (request.instanceId === null) {
    const former = known ?? (joins ? newMember(memberId) : undefined);
    if (former === undefined) return notAMember(group, memberId);
    return checkEpoch(former, request) ?? { former };
  }
  const holder = group.byInstance(request.instanceId);
  if (!joins) {
    if (holder === undefined) return unknownInstance(request.instanceId);
    if (holder.id !== memberId) return fencedInstance(request, holder);
    return checkEpoch(holder, request) ?? { former: holder };
  }
  if (holder === undefined) return { former: known ?? newMember(memberId) };
  if (holder.classic === null && holder.epoch !== LEFT_FOR_A_WHILE) {
    return refuse(
      'UNRELEASED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${request.instanceId} cannot join the group because the instance id is owned by ${holder.id} member.`,
    );
  }
  return { former: { ...holder, id: memberId, epoch: 0, previousEpoch: 0 }, replaces: holder };
}

/** A member may be one epoch behind when the last answer did not reach it and it owns nothing it should not. */
function checkEpoch(member: ConsumerMember, { memberEpoch, owned }: HeartbeatRequest): Refusal | undefined {
  if (memberEpoch === 0 || memberEpoch === member.epoch) return undefined;
  const isLate = memberEpoch < member.epoch;
  if (isLate && memberEpoch === member.previousEpoch && ownsOnly(owned, member.assigned)) return undefined;
  return refuse(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${isLate ? 'smaller' : 'greater'} member epoch (${memberEpoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  );
}

function ownsOnly(owned: readonly ReportedPartitions[] | null, assigned: OwnedPartitions): boolean {
  if (owned === null) return false;
  return owned.every((topic) => {
    const partitions = assigned.get(topic.topicId);
    return partitions !== undefined && topic.partitions.every((partition) => partitions.has(partition));
  });
}

function withWhatItSays(member: ConsumerMember, request: HeartbeatRequest): ConsumerMember {
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs:
      request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    assignorName: request.assignorName ?? member.assignorName,
    topicNames: request.topicNames === null ? member.topicNames : asKeptNames(request.topicNames),
    topicRegex: request.topicRegex ?? member.topicRegex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: null,
  };
}

export function fullGroup(maxSize: number): Refusal {
  return refuse(
    'GROUP_MAX_SIZE_REACHED',
    `The consumer group has reached its maximum capacity of ${maxSize} members.`,
  );
}

export function notAMember(group: { readonly id: string }, memberId: string): Refusal {
  return refuse('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${group.id}.`);
}

function unknownInstance(instanceId: string): Refusal {
  return refuse('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`);
}

function fencedInstance(request: HeartbeatRequest, holder: ConsumerMember): Refusal {
  return refuse(
    'FENCED_INSTANCE_ID',
    `Static member ${request.memberId} with instance id ${request.instanceId} was fenced by member ${holder.id}.`,
  );
}
