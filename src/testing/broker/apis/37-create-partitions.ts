import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { createPartitionsApi } from '../../../core/protocol/messages/37-create-partitions.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';

type TopicRequest = RequestRead<typeof createPartitionsApi>['topics'][number];
type TopicResponse = ResponseInit<typeof createPartitionsApi>['results'][number];

export const createPartitionsHandler = serve(createPartitionsApi, {
  handle(request, context) {
    return { results: request.topics.map((wanted) => grow(wanted, request.validateOnly, context)) };
  },
});

function grow(wanted: TopicRequest, validateOnly: boolean, context: RequestContext): TopicResponse {
  const { name, count } = wanted;
  const refuse = (errorCode: number, errorMessage: string | null): TopicResponse => ({
    name,
    errorCode,
    errorMessage,
  });
  const injected = context.injected(name);
  if (injected !== ERRORS.NONE) return refuse(injected, null);
  const topic = context.cluster.topics.get(name);
  if (topic === undefined) return refuse(ERRORS.UNKNOWN_TOPIC_OR_PARTITION, null);
  const present = topic.partitions.length;
  if (count <= present) {
    const message = `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`;
    return refuse(ERRORS.INVALID_PARTITIONS, message);
  }
  const assignments = (wanted.assignments ?? []).map(({ brokerIds }) => brokerIds);
  if (assignments.length > 0 && assignments.length !== count - present) {
    const message = `Attempted to add ${count - present} additional partition(s), but only ${assignments.length} assignment(s) were specified.`;
    return refuse(ERRORS.INVALID_REPLICA_ASSIGNMENT, message);
  }
  const { topics } = context.cluster;
  for (const replicas of assignments) {
    const refusal = topics.checkReplicas(replicas);
    if (refusal !== undefined) return refuse(refusal.code, refusal.message);
  }
  const noRoom = topics.checkRoom(count - present);
  if (noRoom !== undefined) return refuse(noRoom.code, noRoom.message);
  if (validateOnly) return refuse(ERRORS.NONE, null);
  if (assignments.length > 0) topics.growBy(topic, assignments);
  else topics.grow(topic, count, topic.partitions[0]!.replicas.length);
  return refuse(ERRORS.NONE, null);
}
