import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { joinGroupApi } from '../../../core/protocol/messages/11-join-group.ts';
import { failedJoin } from '../groups/group-types.ts';
import type { JoinRequest, JoinResult } from '../groups/group-types.ts';
import { serve } from '../handler.ts';
import { clientHostOf, coordinatorError } from './lookup.ts';

const KNOWN_MEMBER_IDS_FROM = 4;
const NULL_PROTOCOL_FROM = 7;
const SKIP_ASSIGNMENT_FROM = 9;

export const joinGroupHandler = serve(joinGroupApi, {
  async handle(request, context) {
    const { version } = context;
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return respond(failedJoin(error, request.memberId), version);
    const join: JoinRequest = {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      clientId: context.clientId,
      clientHost: clientHostOf(context),
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs:
        request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Copies: the request's frame must not live as long as the member.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      needsKnownMemberId: version >= KNOWN_MEMBER_IDS_FROM,
      canSkipAssignment: version >= SKIP_ASSIGNMENT_FROM,
    };
    return respond(await context.cluster.groups.join(request.groupId, join), version);
  },
  refuse: (request, code, version) => respond(failedJoin(code, request.memberId), version),
});

function respond(result: JoinResult, version: number): ResponseInit<typeof joinGroupApi> {
  const protocolName = result.protocolName ?? (version >= NULL_PROTOCOL_FROM ? null : '');
  return { ...result, protocolName };
}
