import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { metadataApi } from '../../../core/protocol/messages/03-metadata.ts';
import { ZERO_UUID } from '../../../core/protocol/schema.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { topicNameProblem } from '../state/topic.ts';
import type { Topic } from '../state/topic.ts';
import { ALL_CLUSTER_OPERATIONS, ALL_TOPIC_OPERATIONS, partitionState } from './partition-state.ts';

type Request = RequestRead<typeof metadataApi>;
type TopicResponse = ResponseInit<typeof metadataApi>['topics'][number];
type WantedTopic = NonNullable<Request['topics']>[number];

const NULL_NAMES_FROM = 12;
const ERRORS_FROM = 13;

export const metadataHandler = serve(metadataApi, {
  handle(request, context) {
    const { cluster } = context;
    const injected = context.injected();
    // The client is to look for the cluster anew (KIP-1102), which only a fault says.
    if (injected === ERRORS.REBOOTSTRAP_REQUIRED && context.version >= ERRORS_FROM)
      return { brokers: [], clusterId: null, controllerId: -1, topics: [], errorCode: injected };
    return {
      brokers: cluster.upNodes().map((node) => ({
        nodeId: node.id,
        host: node.host,
        port: node.port,
        rack: node.rack,
      })),
      clusterId: cluster.clusterId,
      controllerId: cluster.controllerId,
      topics: withOperations(wantedTopics(request, context), request),
      ...(request.includeClusterAuthorizedOperations && {
        clusterAuthorizedOperations: ALL_CLUSTER_OPERATIONS,
      }),
      errorCode: ERRORS.NONE,
    };
  },
});

function withOperations(topics: TopicResponse[], request: Request): TopicResponse[] {
  if (!request.includeTopicAuthorizedOperations) return topics;
  return topics.map((topic) =>
    topic.errorCode === ERRORS.NONE ? { ...topic, topicAuthorizedOperations: ALL_TOPIC_OPERATIONS } : topic,
  );
}

function wantedTopics(request: Request, context: RequestContext): TopicResponse[] {
  const { topics } = request;
  // In version 0 an empty list asks for all topics; from 1 on null does.
  if (topics === null || (context.version === 0 && topics.length === 0)) {
    return visible(context.cluster.topics.all()).map((topic) => describe(topic, context));
  }
  const mayCreate = context.cluster.settings.autoCreateTopics && request.allowAutoTopicCreation;
  return topics.map((wanted) => describeWanted(wanted, mayCreate, context));
}

function describeWanted(wanted: WantedTopic, mayCreate: boolean, context: RequestContext): TopicResponse {
  const { topics } = context.cluster;
  if (wanted.topicId !== ZERO_UUID) {
    const topic = topics.byId(wanted.topicId);
    if (topic?.isHidden === false) return describe(topic, context);
    const name = context.version >= NULL_NAMES_FROM ? null : '';
    return { errorCode: ERRORS.UNKNOWN_TOPIC_ID, name, topicId: wanted.topicId, partitions: [] };
  }
  const name = wanted.name ?? '';
  const topic = topics.get(name);
  if (topic?.isHidden === true) return { errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] };
  if (topic !== undefined) return describe(topic, context);
  if (topicNameProblem(name) !== undefined)
    return { errorCode: ERRORS.INVALID_TOPIC_EXCEPTION, name, partitions: [] };
  const created = mayCreate ? topics.create({ name, partitions: -1, replicationFactor: -1 }) : undefined;
  if (created !== undefined && 'partitions' in created) return describe(created, context);
  return { errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] };
}

function describe(topic: Topic, context: RequestContext): TopicResponse {
  const injected = context.injected(topic.name);
  const identity = { name: topic.name, topicId: topic.id };
  if (injected !== ERRORS.NONE) return { ...identity, errorCode: injected, partitions: [] };
  const partitions = topic.partitions.map((partition) => partitionState(partition, context.cluster));
  return { ...identity, errorCode: ERRORS.NONE, isInternal: topic.isInternal, partitions };
}

function visible(topics: Iterable<Topic>): Topic[] {
  return [...topics].filter(({ isHidden }) => !isHidden);
}
