import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetDeleteApi } from '../../../core/protocol/messages/47-offset-delete.ts';
import { checkOffsetDelete, readsTopic } from '../groups/group.ts';
import type { Group } from '../groups/group.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { coordinatorError } from './lookup.ts';

type TopicRequest = RequestRead<typeof offsetDeleteApi>['topics'][number];
type Response = ResponseInit<typeof offsetDeleteApi>;

export const offsetDeleteHandler = serve(offsetDeleteApi, {
  handle(request, context) {
    const { groupId } = request;
    if (groupId === '') return failed(ERRORS.INVALID_GROUP_ID);
    const error = coordinatorError(groupId, context);
    if (error !== ERRORS.NONE) return failed(error);
    const group = context.cluster.groups.get(groupId);
    if (group === undefined) return failed(ERRORS.GROUP_ID_NOT_FOUND);
    const refusal = checkOffsetDelete(group);
    if (refusal !== ERRORS.NONE) return failed(refusal);
    const topics = request.topics.map((topic) => deleteOf(group, topic, context));
    context.cluster.groups.changed(groupId);
    return { throttleTimeMs: 0, errorCode: ERRORS.NONE, topics };
  },
  refuse: (_request, errorCode) => failed(errorCode),
});

function failed(errorCode: number): Response {
  return { throttleTimeMs: 0, errorCode, topics: [] };
}

function deleteOf(
  group: Group,
  { name, partitions }: TopicRequest,
  context: RequestContext,
): Response['topics'][number] {
  const topic = context.cluster.topics.get(name);
  const isRead = readsTopic(group, name);
  return {
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      if (topic?.partitions[partitionIndex] === undefined) {
        return { partitionIndex, errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION };
      }
      if (isRead) return { partitionIndex, errorCode: ERRORS.GROUP_SUBSCRIBED_TO_TOPIC };
      group.offsets.forget(name, partitionIndex);
      return { partitionIndex, errorCode: ERRORS.NONE };
    }),
  };
}
