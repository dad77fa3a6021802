import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { ZERO_UUID } from '../../../core/protocol/schema.ts';
import { HANG_UP, serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { topicNameProblem } from '../state/topic.ts';
import { describeTopicPartitionsApi } from '../tables/75-describe-topic-partitions.ts';
import { ALL_TOPIC_OPERATIONS, partitionState } from './partition-state.ts';

type Request = RequestRead<typeof describeTopicPartitionsApi>;
type TopicResponse = ResponseInit<typeof describeTopicPartitionsApi>['topics'][number];

const MAX_PARTITIONS = 2000;

export const describeTopicPartitionsHandler = serve(describeTopicPartitionsApi, {
  handle(request, context) {
    const { cursor } = request;
    // Kafka throws here; there is no place for an error of the whole request.
    if (cursor !== null && cursor.partitionIndex < 0) return HANG_UP;
    const topics: TopicResponse[] = [];
    let left = Math.max(1, Math.min(MAX_PARTITIONS, request.responsePartitionLimit));
    for (const name of wantedNames(request, context)) {
      const from = name === cursor?.topicName ? cursor.partitionIndex : 0;
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
      const topic = describe(name, from, left, context);
      topics.push(topic);
      left -= topic.partitions.length;
      const reached = from + topic.partitions.length;
      if (reached < (context.cluster.topics.get(name)?.partitions.length ?? 0) && left === 0) {
        return { topics, nextCursor: { topicName: name, partitionIndex: reached } };
      }
    }
    return { topics };
  },
});

function wantedNames(request: Request, context: RequestContext): string[] {
  const isAll = request.topics.length === 0;
  const all = [...context.cluster.topics.all()].filter(({ isHidden }) => !isHidden);
  const names = isAll ? all.map(({ name }) => name) : request.topics.map(({ name }) => name);
  const first = request.cursor?.topicName;
  return [...new Set(names)].filter((name) => first === undefined || name >= first).sort();
}

function describe(name: string, from: number, limit: number, context: RequestContext): TopicResponse {
  const { cluster } = context;
  const topic = cluster.topics.get(name);
  const injected = context.injected(name);
  if (injected !== ERRORS.NONE) return { errorCode: injected, name, topicId: ZERO_UUID, partitions: [] };
  if (topic === undefined || topic.isHidden) {
    const isValid = topicNameProblem(name) === undefined;
    const errorCode = isValid ? ERRORS.UNKNOWN_TOPIC_OR_PARTITION : ERRORS.INVALID_TOPIC_EXCEPTION;
    return { errorCode, name, topicId: ZERO_UUID, partitions: [] };
  }
  return {
    errorCode: ERRORS.NONE,
    name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.slice(from, from + limit).map((partition) => ({
      ...partitionState(partition, cluster),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
  };
}
