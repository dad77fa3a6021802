import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetCommitApi } from '../../../core/protocol/messages/08-offset-commit.ts';
import type { Group } from '../groups/group-coordinator.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { coordinatorError, findTopic } from './lookup.ts';

type Request = RequestRead<typeof offsetCommitApi>;
type Response = ResponseInit<typeof offsetCommitApi>;
type TopicRequest = Request['topics'][number];

const TOPIC_IDS_FROM = 10;
const MAX_METADATA_BYTES = 4096;

export const offsetCommitHandler = serve(offsetCommitApi, {
  handle(request, context) {
    const error = coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return refuse(request, error);
    const group = context.cluster.groups.checkCommit(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationIdOrMemberEpoch,
    });
    if (typeof group === 'number') return refuse(request, group);
    const topics = request.topics.map((topic) => commitTopic(group, request, topic, context));
    context.cluster.groups.changed(request.groupId);
    return { topics };
  },
});

function refuse(request: Request, errorCode: number): Response {
  const topics = request.topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }));
  return { topics };
}

function commitTopic(
  group: Group,
  request: Request,
  wanted: TopicRequest,
  context: RequestContext,
): Response['topics'][number] {
  const topic = findTopic(wanted, context.version >= TOPIC_IDS_FROM, context);
  const partitions = wanted.partitions.map((partition) => {
    const { partitionIndex } = partition;
    const injected = context.injected(typeof topic === 'number' ? wanted.name : topic.name, partitionIndex);
    if (injected !== ERRORS.NONE) return { partitionIndex, errorCode: injected };
    if (typeof topic === 'number') return { partitionIndex, errorCode: topic };
    if (topic.partitions[partitionIndex] === undefined) {
      return { partitionIndex, errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION };
    }
    const metadata = partition.committedMetadata ?? '';
    if (Buffer.byteLength(metadata) > MAX_METADATA_BYTES) {
      return { partitionIndex, errorCode: ERRORS.OFFSET_METADATA_TOO_LARGE };
    }
    const { committedOffset: offset, committedLeaderEpoch: leaderEpoch } = partition;
    group.offsets.set(topic.name, partitionIndex, { offset, leaderEpoch, metadata });
    context.cluster.tell({
      kind: 'commit',
      clientId: context.clientId,
      groupId: request.groupId,
      memberId: request.memberId,
      generationId: request.generationIdOrMemberEpoch,
      topic: topic.name,
      partition: partitionIndex,
      offset,
      leaderEpoch,
      metadata,
    });
    return { partitionIndex, errorCode: ERRORS.NONE };
  });
  return { name: wanted.name, topicId: wanted.topicId, partitions };
}
