import type { ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { deleteTopicsApi } from '../../../core/protocol/messages/20-delete-topics.ts';
import { ZERO_UUID } from '../../../core/protocol/schema.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { findTopic } from './lookup.ts';

type TopicResponse = ResponseInit<typeof deleteTopicsApi>['responses'][number];

const TOPIC_LISTS_FROM = 6;

export const deleteTopicsHandler = serve(deleteTopicsApi, {
  handle(request, context) {
    if (context.version < TOPIC_LISTS_FROM) {
      return {
        responses: request.topicNames.map((name) => deleteTopic({ name, topicId: ZERO_UUID }, context)),
      };
    }
    return { responses: request.topics.map((wanted) => deleteTopic(wanted, context)) };
  },
});

function deleteTopic(
  wanted: { name: string | null; topicId: string },
  context: RequestContext,
): TopicResponse {
  const byId = wanted.name === null;
  const topic = findTopic(wanted, byId, context);
  const name = typeof topic === 'number' ? wanted.name : topic.name;
  const injected = context.injected(name ?? undefined);
  if (injected !== ERRORS.NONE) return { name, topicId: wanted.topicId, errorCode: injected };
  if (typeof topic === 'number') return { name, topicId: wanted.topicId, errorCode: topic };
  context.cluster.topics.delete(topic);
  return { name, topicId: topic.id, errorCode: ERRORS.NONE };
}
