import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { leaveGroupApi } from '../../../core/protocol/messages/13-leave-group.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

const MEMBER_LISTS_FROM = 3;

export const leaveGroupHandler = serve(leaveGroupApi, {
  handle(request, context) {
    const { groupId } = request;
    if (groupId === '') return { errorCode: ERRORS.INVALID_GROUP_ID };
    const error = coordinatorError(groupId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const { groups } = context.cluster;
    if (context.version < MEMBER_LISTS_FROM) {
      return { errorCode: groups.leave(groupId, [{ memberId: request.memberId, instanceId: null }])[0]! };
    }
    const errors = groups.leave(
      groupId,
      request.members.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId })),
    );
    const members = request.members.map(({ memberId, groupInstanceId }, at) => ({
      memberId,
      groupInstanceId,
      errorCode: errors[at]!,
    }));
    return { errorCode: ERRORS.NONE, members };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
