import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { describeGroupsApi } from '../../../core/protocol/messages/15-describe-groups.ts';
import type { ClassicGroup } from '../groups/classic-group.ts';
import type { GroupMember } from '../groups/group-member.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

type GroupResponse = ResponseInit<typeof describeGroupsApi>['groups'][number];
type MemberResponse = GroupResponse['members'][number];

const NOT_FOUND_ERROR_FROM = 6;
const NOTHING = Buffer.alloc(0);

export const describeGroupsHandler = serve(describeGroupsApi, {
  handle: (request, context) => ({ groups: request.groups.map((groupId) => describe(groupId, context)) }),
});

function describe(groupId: string, context: RequestContext): GroupResponse {
  const error = context.injected() || coordinatorError(groupId, context);
  if (error !== ERRORS.NONE) return nothing(groupId, '', error);
  const group = context.cluster.groups.get(groupId)?.membership;
  if (group === undefined) {
    if (context.version < NOT_FOUND_ERROR_FROM) return nothing(groupId, 'Dead', ERRORS.NONE);
    return {
      ...nothing(groupId, 'Dead', ERRORS.GROUP_ID_NOT_FOUND),
      errorMessage: `Group ${groupId} not found.`,
    };
  }
  const isStable = group.state === 'Stable';
  return {
    ...nothing(groupId, group.state, ERRORS.NONE),
    protocolType: group.members.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: group.members.all().map((member) => describeMember(group, member)),
  };
}

function describeMember(group: ClassicGroup, member: GroupMember): MemberResponse {
  const isStable = group.state === 'Stable';
  return {
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: isStable ? member.metadataOf(group.protocolName ?? '') : NOTHING,
    memberAssignment: isStable ? member.assignment : NOTHING,
  };
}

function nothing(groupId: string, groupState: string, errorCode: number): GroupResponse {
  return { errorCode, groupId, groupState, protocolType: '', protocolData: '', members: [] };
}
