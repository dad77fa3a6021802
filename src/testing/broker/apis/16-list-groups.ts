import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { listGroupsApi } from '../../../core/protocol/messages/16-list-groups.ts';
import type { Group } from '../groups/group.ts';
import { serve } from '../handler.ts';

/** A node lists the groups that it coordinates. */
export const listGroupsHandler = serve(listGroupsApi, {
  handle(request, context) {
    const { cluster } = context;
    const states = new Set(request.statesFilter.map((state) => state.toLowerCase().trim()));
    const types = new Set(request.typesFilter.map((type) => type.toLowerCase()));
    const groups = [...cluster.groups.ids()]
      .filter((groupId) => cluster.coordinatorOf(groupId) === context.node)
      .map((groupId) => describe(cluster.groups.get(groupId)!))
      .filter(({ groupState }) => states.size === 0 || states.has(groupState.toLowerCase()))
      .filter(({ groupType }) => types.size === 0 || types.has(groupType));
    return { errorCode: ERRORS.NONE, groups };
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
});

function describe({ id: groupId, membership }: Group): {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState: string;
  readonly groupType: string;
} {
  const { type: groupType, state: groupState } = membership;
  const protocolType = membership.type === 'consumer' ? 'consumer' : (membership.members.protocolType ?? '');
  return { groupId, protocolType, groupState, groupType };
}
