import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { consumerGroupHeartbeatApi } from '../../../core/protocol/messages/68-consumer-group-heartbeat.ts';
import type { HeartbeatRequest } from '../groups/consumer/heartbeat.ts';
import { isRefusal } from '../groups/refusal.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { clientHostOf, coordinatorError } from './lookup.ts';

type Response = ResponseInit<typeof consumerGroupHeartbeatApi>;

export const consumerGroupHeartbeatHandler = serve(consumerGroupHeartbeatApi, {
  handle(request, context): Response {
    const { cluster } = context;
    if (cluster.features.level('group.version') < 1) return failed(ERRORS.UNSUPPORTED_VERSION, null);
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE && request.groupId !== '') return failed(error, null);
    const result = cluster.groups.consumerHeartbeat(heartbeatOf(request, context));
    if (isRefusal(result)) return failed(result.code, result.message);
    const { memberId, memberEpoch, heartbeatIntervalMs, assigned } = result;
    const topicPartitions = Array.from(assigned ?? [], ([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions.keys()],
    }));
    return {
      throttleTimeMs: 0,
      errorCode: ERRORS.NONE,
      memberId,
      memberEpoch,
      heartbeatIntervalMs,
      assignment: assigned === null ? null : { topicPartitions },
    };
  },
  refuse: (_request, errorCode) => failed(errorCode, null),
});

function heartbeatOf(
  request: RequestRead<typeof consumerGroupHeartbeatApi>,
  context: RequestContext,
): HeartbeatRequest {
  return {
    version: context.version,
    groupId: request.groupId,
    memberId: request.memberId,
    memberEpoch: request.memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topicNames: request.subscribedTopicNames,
    topicRegex: request.subscribedTopicRegex,
    assignorName: request.serverAssignor,
    owned: request.topicPartitions,
    clientId: context.clientId,
    clientHost: clientHostOf(context),
  };
}

function failed(errorCode: number, errorMessage: string | null): Response {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 };
}
