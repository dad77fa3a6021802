import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { createTopicsApi } from '../../../core/protocol/messages/19-create-topics.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { TopicConfig } from '../state/topic-config.ts';
import type { NewTopic } from '../state/topic-registry.ts';
import type { Topic } from '../state/topic.ts';
import { topicConfigEntries } from './config-entries.ts';

type Request = RequestRead<typeof createTopicsApi>;
type TopicRequest = Request['topics'][number];
type TopicResponse = ResponseInit<typeof createTopicsApi>['topics'][number];

export const createTopicsHandler = serve(createTopicsApi, {
  handle(request, context) {
    const counts = new Map<string, number>();
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const topics = request.topics
      .filter(({ name }, at) => request.topics.findIndex((other) => other.name === name) === at)
      .map((wanted) => {
        if (counts.get(wanted.name)! > 1)
          return failure(wanted.name, ERRORS.INVALID_REQUEST, 'Duplicate topic name.');
        return createTopic(wanted, request.validateOnly, context);
      });
    return { topics };
  },
});

function createTopic(wanted: TopicRequest, validateOnly: boolean, context: RequestContext): TopicResponse {
  const injected = context.injected(wanted.name);
  if (injected !== ERRORS.NONE) return failure(wanted.name, injected, null);
  const spec = specOf(wanted);
  if (spec === undefined) {
    const message = 'The partitions of a manual assignment must be numbered from 0 without gaps.';
    return failure(wanted.name, ERRORS.INVALID_REPLICA_ASSIGNMENT, message);
  }
  const { topics } = context.cluster;
  const refusal = topics.check(spec);
  if (refusal !== undefined) return failure(wanted.name, refusal.code, refusal.message);
  if (validateOnly)
    return {
      name: wanted.name,
      errorCode: ERRORS.NONE,
      errorMessage: null,
      configs: topicConfigEntries(new TopicConfig(spec.configs!)),
    };
  return describe(topics.create(spec) as Topic);
}

function specOf(wanted: TopicRequest): NewTopic | undefined {
  const assignments = [...wanted.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  if (assignments.some(({ partitionIndex }, at) => partitionIndex !== at)) return undefined;
  return {
    name: wanted.name,
    partitions: wanted.numPartitions,
    replicationFactor: wanted.replicationFactor,
    assignments: assignments.map(({ brokerIds }) => brokerIds),
    configs: new Map(
      wanted.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])),
    ),
  };
}

function describe(topic: Topic): TopicResponse {
  return {
    name: topic.name,
    topicId: topic.id,
    errorCode: ERRORS.NONE,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
    configs: topicConfigEntries(topic.config),
  };
}

function failure(name: string, errorCode: number, errorMessage: string | null): TopicResponse {
  return { name, errorCode, errorMessage, configs: [] };
}
