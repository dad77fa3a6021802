import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { heartbeatApi } from '../../../core/protocol/messages/12-heartbeat.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

export const heartbeatHandler = serve(heartbeatApi, {
  handle(request, context) {
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return { errorCode: error };
    const { groupId, memberId, groupInstanceId: instanceId, generationId } = request;
    return { errorCode: context.cluster.groups.heartbeat(groupId, { memberId, instanceId, generationId }) };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});
