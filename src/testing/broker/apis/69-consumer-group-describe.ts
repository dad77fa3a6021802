import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { consumerGroupDescribeApi } from '../../../core/protocol/messages/69-consumer-group-describe.ts';
import type { ConsumerGroup } from '../groups/consumer/consumer-group.ts';
import type { ConsumerMember } from '../groups/consumer/consumer-member.ts';
import { isRefusal } from '../groups/refusal.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { TopicRegistry } from '../state/topic-registry.ts';
import { groupOperations } from './group-operations.ts';
import { coordinatorError } from './lookup.ts';

type GroupResponse = ResponseInit<typeof consumerGroupDescribeApi>['groups'][number];
type MemberResponse = GroupResponse['members'][number];
type AssignmentResponse = NonNullable<MemberResponse['assignment']>;

const CLASSIC_MEMBER = 0;
const CONSUMER_MEMBER = 1;

export const consumerGroupDescribeHandler = serve(consumerGroupDescribeApi, {
  handle(request, context) {
    const authorizedOperations = groupOperations(request.includeAuthorizedOperations);
    const groups = request.groupIds.map((groupId) => {
      const described = describe(groupId, context);
      return described.errorCode === ERRORS.NONE ? { ...described, authorizedOperations } : described;
    });
    return { throttleTimeMs: 0, groups };
  },
});

function describe(groupId: string, context: RequestContext): GroupResponse {
  const { cluster } = context;
  if (cluster.features.level('group.version') < 1) return nothing(groupId, ERRORS.UNSUPPORTED_VERSION, null);
  const injected = context.injected();
  if (injected !== ERRORS.NONE) return nothing(groupId, injected, null);
  if (groupId === '') return nothing(groupId, ERRORS.INVALID_GROUP_ID, null);
  const error = coordinatorError(groupId, context);
  if (error !== ERRORS.NONE) return nothing(groupId, error, null);
  const group = cluster.groups.consumerGroup(groupId);
  if (isRefusal(group)) return nothing(groupId, group.code, group.message);
  return {
    ...nothing(groupId, ERRORS.NONE, null),
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignorName,
    members: Array.from(group.members.values(), (member) => describeMember(group, member, cluster.topics)),
  };
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, topics: TopicRegistry): MemberResponse {
  const current = new Map<string, number[]>();
  for (const owned of [member.assigned, member.revoking]) {
    for (const [topicId, partitions] of owned) {
      current.set(topicId, [...(current.get(topicId) ?? []), ...partitions.keys()]);
    }
  }
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.topicNames,
    subscribedTopicRegex: member.topicRegex,
    assignment: assignmentOf(current, topics),
    targetAssignment: assignmentOf(group.targets.get(member.id) ?? new Map(), topics),
    memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  };
}

function assignmentOf(
  assigned: ReadonlyMap<string, readonly number[]>,
  topics: TopicRegistry,
): AssignmentResponse {
  const topicPartitions = Array.from(assigned).flatMap(([topicId, partitions]) => {
    const topic = topics.byId(topicId);
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }];
  });
  return { topicPartitions };
}

function nothing(groupId: string, errorCode: number, errorMessage: string | null): GroupResponse {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  };
}
