import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { metadataApi } from '../../../core/protocol/messages/03-metadata.ts';
import { ZERO_UUID } from '../../../core/protocol/schema.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { NO_LEADER } from '../state/partition.ts';
import type { Partition } from '../state/partition.ts';
import { topicNameProblem } from '../state/topic.ts';
import type { Topic } from '../state/topic.ts';

type Request = RequestRead<typeof metadataApi>;
type TopicResponse = ResponseInit<typeof metadataApi>['topics'][number];
type WantedTopic = NonNullable<Request['topics']>[number];

const NULL_NAMES_FROM = 12;

export const metadataHandler = serve(metadataApi, {
  handle(request, context) {
    const { cluster } = context;
    return {
      brokers: cluster.upNodes().map((node) => ({ nodeId: node.id, host: node.host, port: node.port })),
      clusterId: cluster.clusterId,
      controllerId: cluster.controllerId,
      topics: wantedTopics(request, context),
      errorCode: ERRORS.NONE,
    };
  },
});

function wantedTopics(request: Request, context: RequestContext): TopicResponse[] {
  const { topics } = request;
  // In version 0 an empty list asks for all topics; from 1 on null does.
  if (topics === null || (context.version === 0 && topics.length === 0)) {
    return Array.from(context.cluster.topics.all(), (topic) => describe(topic, context));
  }
  const mayCreate = context.cluster.settings.autoCreateTopics && request.allowAutoTopicCreation;
  return topics.map((wanted) => describeWanted(wanted, mayCreate, context));
}

function describeWanted(wanted: WantedTopic, mayCreate: boolean, context: RequestContext): TopicResponse {
  const { topics } = context.cluster;
  if (wanted.topicId !== ZERO_UUID) {
    const topic = topics.byId(wanted.topicId);
    if (topic !== undefined) return describe(topic, context);
    const name = context.version >= NULL_NAMES_FROM ? null : '';
    return { errorCode: ERRORS.UNKNOWN_TOPIC_ID, name, topicId: wanted.topicId, partitions: [] };
  }
  const name = wanted.name ?? '';
  const topic = topics.get(name);
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
  const partitions = topic.partitions.map((partition) => describePartition(partition, context));
  return { ...identity, errorCode: ERRORS.NONE, partitions };
}

function describePartition(
  partition: Partition,
  context: RequestContext,
): TopicResponse['partitions'][number] {
  const isUp = (id: number): boolean => context.cluster.node(id)?.isUp === true;
  return {
    errorCode: partition.leader === NO_LEADER ? ERRORS.LEADER_NOT_AVAILABLE : ERRORS.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.replicas.filter(isUp),
    offlineReplicas: partition.replicas.filter((id) => !isUp(id)),
  };
}
