import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { deleteGroupsApi } from '../../../core/protocol/messages/42-delete-groups.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

export const deleteGroupsHandler = serve(deleteGroupsApi, {
  handle(request, context) {
    const results = request.groupsNames.map((groupId) => {
      const error = context.injected() || coordinatorError(groupId, context);
      return { groupId, errorCode: error === ERRORS.NONE ? context.cluster.groups.delete(groupId) : error };
    });
    return { results };
  },
});
