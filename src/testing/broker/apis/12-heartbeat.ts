import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { heartbeatApi } from '../../../core/protocol/messages/12-heartbeat.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

export const heartbeatHandler = serve(heartbeatApi, {
  handle(request, context) {
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const group = context.cluster.groups.get(request.groupId);
    if (group === undefined) return { errorCode: ERRORS.UNKNOWN_MEMBER_ID };
    const { memberId, groupInstanceId: instanceId, generationId } = request;
    return { errorCode: group.membership.heartbeat({ memberId, instanceId, generationId }) };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
