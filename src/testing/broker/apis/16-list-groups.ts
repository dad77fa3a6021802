import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { listGroupsApi } from '../../../core/protocol/messages/16-list-groups.ts';
import { serve } from '../handler.ts';

const GROUP_TYPE = 'classic';

/** A node lists the groups that it coordinates. */
export const listGroupsHandler = serve(listGroupsApi, {
  handle(request, context) {
    const { cluster } = context;
    const states = new Set(request.statesFilter.map((state) => state.toLowerCase()));
    const hasType =
      request.typesFilter.length === 0 ||
      request.typesFilter.some((type) => type.toLowerCase() === GROUP_TYPE);
    const groups = [...cluster.groups.ids()]
      .filter((groupId) => hasType && cluster.coordinatorOf(groupId) === context.node)
      .map((groupId) => cluster.groups.get(groupId)!.membership)
      .filter((group) => states.size === 0 || states.has(group.state.toLowerCase()))
      .map((group) => ({
        groupId: group.id,
        protocolType: group.members.protocolType ?? '',
        groupState: group.state,
        groupType: GROUP_TYPE,
      }));
    return { errorCode: ERRORS.NONE, groups };
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
});
