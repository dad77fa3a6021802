import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeGroupsApi } from '../../../core/protocol/messages/15-describe-groups.ts';
import type { ClassicGroup } from '../groups/classic/classic-group.ts';
import type { ClassicMember } from '../groups/classic/classic-member.ts';
import { isRefusal } from '../groups/refusal.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { groupOperations } from './group-operations.ts';
import { coordinatorError } from './lookup.ts';

type GroupResponse = ResponseInit<typeof describeGroupsApi>['groups'][number];
type MemberResponse = GroupResponse['members'][number];

const NOT_FOUND_ERROR_FROM = 6;
const NOTHING = Buffer.alloc(0);

export const describeGroupsHandler = serve(describeGroupsApi, {
  handle(request, context) {
    const authorizedOperations = groupOperations(request.includeAuthorizedOperations);
    const groups = request.groups.map((groupId) => {
      const described = describe(groupId, context);
      return described.errorCode === ERRORS.NONE ? { ...described, authorizedOperations } : described;
    });
    return { groups };
  },
});

function describe(groupId: string, context: RequestContext): GroupResponse {
  const error = context.injected(undefined, undefined, groupId) || coordinatorError(groupId, context);
  if (error !== ERRORS.NONE) return nothing(groupId, '', error);
  const group = context.cluster.groups.classicGroup(groupId);
  if (isRefusal(group)) {
    if (context.version < NOT_FOUND_ERROR_FROM) return nothing(groupId, 'Dead', ERRORS.NONE);
    return { ...nothing(groupId, 'Dead', group.code), errorMessage: group.message };
  }
  const isStable = group.state === 'Stable';
  return {
    ...nothing(groupId, group.state, ERRORS.NONE),
    protocolType: group.members.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: group.members.all().map((member) => describeMember(group, member)),
  };
}

function describeMember(group: ClassicGroup, member: ClassicMember): MemberResponse {
  const isStable = group.state === 'Stable';
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: isStable ? member.metadataOf(group.protocolName ?? '') : NOTHING,
    memberAssignment: member.assignment,
  };
}

function nothing(groupId: string, groupState: string, errorCode: number): GroupResponse {
  return { errorCode, groupId, groupState, protocolType: '', protocolData: '', members: [] };
}
