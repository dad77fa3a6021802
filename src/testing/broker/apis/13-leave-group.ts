import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { leaveGroupApi } from '../../../core/protocol/messages/13-leave-group.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

const MEMBER_LISTS_FROM = 3;

export const leaveGroupHandler = serve(leaveGroupApi, {
  handle(request, context) {
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const group = context.cluster.groups.get(request.groupId)?.membership;
    const leave = (memberId: string, instanceId: string | null): number =>
      group === undefined ? ERRORS.UNKNOWN_MEMBER_ID : group.leave(memberId, instanceId);
    if (context.version < MEMBER_LISTS_FROM) return { errorCode: leave(request.memberId, null) };
    const members = request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: leave(memberId, groupInstanceId),
    }));
    return { errorCode: ERRORS.NONE, members };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
