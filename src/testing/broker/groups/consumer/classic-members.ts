// Members of a consumer group that still speak the classic protocol: their requests, in terms of the group's epochs.

import { decodeSubscription, encodeAssignment } from '../../../../core/protocol/consumer-protocol.ts';
import type { Subscription } from '../../../../core/protocol/consumer-protocol.ts';
import { ERRORS } from '../../../../core/protocol/error-codes.ts';
import { randomUuid } from '../../state/ids.ts';
import { failedJoin, failedSync } from '../group-types.ts';
import type {
  JoinRequest,
  JoinResult,
  LeavingMember,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from '../group-types.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { asKeptNames, newMember } from './consumer-member.ts';
import type { ClassicSide, ConsumerMember } from './consumer-member.ts';
import type { ReportedPartitions } from './reconcile.ts';

/** A member that joined with the classic protocol, and whether the group is all classic with it. */
export interface ClassicJoin {
  readonly result: JoinResult;
  readonly member?: ConsumerMember;
}

interface Sender {
  readonly former: ConsumerMember;
  readonly replaces?: ConsumerMember;
}

/** A JoinGroup to a consumer group that has members. */
export function joinClassic(group: ConsumerGroup, request: JoinRequest): ClassicJoin {
  const { timings, random } = group.environment;
  const fail = (code: number): ClassicJoin => ({ result: failedJoin(code, '') });
  if (timings.migrationPolicy === 'disabled') return fail(ERRORS.INCONSISTENT_GROUP_PROTOCOL);
  const isNew = request.memberId === '';
  const memberId = isNew ? randomUuid(random) : request.memberId;
  if (group.isFullFor(memberId)) return fail(ERRORS.GROUP_MAX_SIZE_REACHED);
  if (!acceptsProtocols(group, request)) return fail(ERRORS.INCONSISTENT_GROUP_PROTOCOL);
  if (isNew && request.instanceId === null && request.needsKnownMemberId) {
    return { result: failedJoin(ERRORS.MEMBER_ID_REQUIRED, memberId) };
  }
  const sender = findSender(group, memberId, request.instanceId, isNew);
  if (typeof sender === 'number') return fail(sender);
  const subscription = subscriptionOf(request);
  if (subscription === undefined) return fail(ERRORS.UNKNOWN_SERVER_ERROR);
  const { former, replaces } = sender;
  const updated = withSubscription(former, request, subscription);
  const owned = ownedOf(group, subscription);
  const member = group.update({ former, updated, replaces, owned, bumpsForRegex: true });
  group.timers.cancel(memberId, 'join');
  group.keepAlive(memberId, request.sessionTimeoutMs);
  group.timers.start(memberId, 'sync', member.rebalanceTimeoutMs, () => group.fence(new Set([memberId])));
  const result: JoinResult = {
    ...failedJoin(ERRORS.NONE, memberId),
    generationId: member.epoch,
    protocolType: 'consumer',
    protocolName: request.protocols[0]!.name,
  };
  return { result, member };
}

/** A SyncGroup to a consumer group. */
export function syncClassic(group: ConsumerGroup, request: SyncRequest): SyncResult {
  const member = findClassic(group, request);
  if (typeof member === 'number') return failedSync(member);
  const isOther = (said: string | null, known: string): boolean => said !== null && said !== known;
  const { protocols, sessionTimeoutMs } = member.classic;
  if (isOther(request.protocolType, 'consumer') || isOther(request.protocolName, protocols[0]!.name)) {
    return failedSync(ERRORS.INCONSISTENT_GROUP_PROTOCOL);
  }
  if (group.assignmentEpoch > member.epoch && member.state !== 'UNREVOKED_PARTITIONS') {
    awaitJoin(group, member);
    return failedSync(ERRORS.REBALANCE_IN_PROGRESS);
  }
  group.timers.cancel(member.id, 'sync');
  group.keepAlive(member.id, sessionTimeoutMs);
  return {
    errorCode: ERRORS.NONE,
    protocolType: request.protocolType,
    protocolName: request.protocolName,
    assignment: assignmentBytes(group, member),
  };
}

/** The error to answer a Heartbeat to a consumer group with. */
export function heartbeatClassic(group: ConsumerGroup, from: MemberIdentity): number {
  const member = findClassic(group, from);
  if (typeof member === 'number') return member;
  group.keepAlive(member.id, member.classic.sessionTimeoutMs);
  const canStep =
    member.epoch < group.assignmentEpoch ||
    member.state === 'UNREVOKED_PARTITIONS' ||
    (member.state === 'UNRELEASED_PARTITIONS' && !isWaitingForOthers(group, member));
  if (!canStep) return ERRORS.NONE;
  awaitJoin(group, member);
  return ERRORS.REBALANCE_IN_PROGRESS;
}

/** A LeaveGroup to a consumer group: the error for each, in their order. */
export function leaveClassic(group: ConsumerGroup, leaving: readonly LeavingMember[]): number[] {
  const ids = new Set<string>();
  const errors = leaving.map(({ memberId, instanceId }) => {
    const member = instanceId === null ? group.members.get(memberId) : group.byInstance(instanceId);
    if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
    if (instanceId !== null && memberId !== '' && member.id !== memberId) return ERRORS.FENCED_INSTANCE_ID;
    ids.add(member.id);
    return ERRORS.NONE;
  });
  group.fence(ids);
  return errors;
}

/** Some protocol that all classic members offer. */
function acceptsProtocols(group: ConsumerGroup, { protocolType, protocols }: JoinRequest): boolean {
  const sides = Array.from(group.members.values()).flatMap(({ classic }) => classic ?? []);
  const isOffered = (name: string): boolean =>
    sides.every((side) => side.protocols.some((protocol) => protocol.name === name));
  return protocolType === 'consumer' && protocols.some(({ name }) => isOffered(name));
}

function findSender(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  isNew: boolean,
): Sender | number {
  const known = group.members.get(memberId);
  if (instanceId === null) return { former: known ?? newMember(memberId) };
  const holder = group.byInstance(instanceId);
  if (!isNew) {
    if (holder === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
    return holder.id === memberId ? { former: holder } : ERRORS.FENCED_INSTANCE_ID;
  }
  if (holder === undefined) return { former: newMember(memberId) };
  return { former: { ...holder, id: memberId, epoch: 0, previousEpoch: 0 }, replaces: holder };
}

function findClassic(
  group: ConsumerGroup,
  { memberId, instanceId, generationId }: MemberIdentity,
): (ConsumerMember & { readonly classic: ClassicSide }) | number {
  const member = instanceId === null ? group.members.get(memberId) : group.byInstance(instanceId);
  if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
  if (member.id !== memberId) return ERRORS.FENCED_INSTANCE_ID;
  const { classic } = member;
  if (classic === null) return ERRORS.UNKNOWN_MEMBER_ID;
  return generationId === member.epoch ? { ...member, classic } : ERRORS.ILLEGAL_GENERATION;
}

function subscriptionOf(request: JoinRequest): Subscription | undefined {
  try {
    return decodeSubscription(request.protocols[0]!.metadata);
  } catch {
    return undefined;
  }
}

function withSubscription(
  member: ConsumerMember,
  request: JoinRequest,
  subscription: Subscription,
): ConsumerMember {
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: subscription.rackId ?? member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topicNames: asKeptNames(subscription.topics),
    topicRegex: '',
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, protocols: request.protocols },
  };
}

function ownedOf(group: ConsumerGroup, { ownedPartitions }: Subscription): ReportedPartitions[] {
  return ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = group.environment.topics.get(topic)?.id;
    return topicId === undefined ? [] : [{ topicId, partitions }];
  });
}

/** The member has so long to join again. */
function awaitJoin(group: ConsumerGroup, { id, rebalanceTimeoutMs }: ConsumerMember): void {
  if (group.timers.isRunning(id, 'join')) return;
  group.timers.start(id, 'join', rebalanceTimeoutMs, () => group.fence(new Set([id])));
}

/** Something of its target is still with others. */
function isWaitingForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targets.get(member.id) ?? []) {
    for (const partition of partitions) {
      const isMine = member.assigned.get(topicId)?.has(partition) === true;
      if (!isMine && group.owners.has(topicId, partition)) return true;
    }
  }
  return false;
}

/** What the member may use, as the leader of a classic group would have written it. */
function assignmentBytes(
  group: ConsumerGroup,
  member: ConsumerMember & { readonly classic: ClassicSide },
): Buffer {
  const assignedPartitions = Array.from(member.assigned).flatMap(([topicId, partitions]) => {
    const topic = group.environment.topics.byId(topicId)?.name;
    return topic === undefined ? [] : [{ topic, partitions: [...partitions.keys()] }];
  });
  return encodeAssignment({ assignedPartitions }, protocolVersion(member.classic.protocols[0]!.metadata));
}

const HIGHEST_PROTOCOL_VERSION = 3;

/** The version of the consumer protocol that a member's subscription is in. */
export function protocolVersion(metadata: Buffer): number {
  return Math.min(Math.max(metadata.readInt16BE(0), 0), HIGHEST_PROTOCOL_VERSION);
}
