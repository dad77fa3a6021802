import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { syncGroupApi } from '../../../core/protocol/messages/14-sync-group.ts';
import { failedSync } from '../groups/group-types.ts';
import type { SyncResult } from '../groups/group-types.ts';
import { serve } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

/** From here on a member has to say what it believes the group agreed on. */
const PROTOCOL_FROM = 5;

export const syncGroupHandler = serve(syncGroupApi, {
  async handle(request, context): Promise<ResponseInit<typeof syncGroupApi>> {
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return failedSync(error);
    const { protocolType, protocolName } = request;
    if (context.version >= PROTOCOL_FROM && (protocolType === null || protocolName === null)) {
      return failedSync(ERRORS.INCONSISTENT_GROUP_PROTOCOL);
    }
    const result: SyncResult = await context.cluster.groups.sync(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationId,
      protocolType,
      protocolName,
      assignments: new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment])),
    });
    return result;
  },
  refuse: (_request, code) => failedSync(code),
});
