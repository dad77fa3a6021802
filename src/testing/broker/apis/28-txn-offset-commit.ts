import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { txnOffsetCommitApi } from '../../../core/protocol/messages/28-txn-offset-commit.ts';
import type { CommitTarget, Group } from '../groups/group.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { OFFSETS_TOPIC, offsetsPartitionOf } from '../txn/transaction-state.ts';
import { supportOfOffsetCommit, takePart } from '../txn/take-part.ts';
import { coordinatorError, findTopic } from './lookup.ts';

type Request = RequestRead<typeof txnOffsetCommitApi>;
type Response = ResponseInit<typeof txnOffsetCommitApi>;
type TopicRequest = Request['topics'][number];

/** `offset.metadata.max.bytes`, which Kafka compares with characters. */
const MAX_METADATA_CHARS = 4096;

export const txnOffsetCommitHandler = serve(txnOffsetCommitApi, {
  handle(request, context) {
    const error = context.injected() || coordinatorError(request.groupId, context) || join(request, context);
    if (error !== ERRORS.NONE) return refuse(request, error);
    const { memberId, groupInstanceId: instanceId, generationId } = request;
    const from = { memberId, instanceId, generationId, version: context.version, isTransactional: true };
    const group = context.cluster.groups.checkCommit(request.groupId, from, targetsOf(request, context));
    if (typeof group === 'number') return refuse(request, group);
    const topics = request.topics.map((topic) => stage(group, request.producerId, topic, context));
    context.cluster.groups.changed(request.groupId);
    return { topics };
  },
});

/** Makes sure that the group's offsets are part of the transaction. */
function join(request: Request, context: RequestContext): number {
  const { transactionalId, producerId, producerEpoch: epoch, groupId } = request;
  if (groupId === '') return ERRORS.INVALID_GROUP_ID;
  const partition = { topic: OFFSETS_TOPIC, partition: offsetsPartitionOf(groupId) };
  const client = { transactionalId, producerId, epoch };
  return takePart(context, client, partition, supportOfOffsetCommit(context.version), groupId).code;
}

function targetsOf(request: Request, { cluster }: RequestContext): CommitTarget[] {
  return request.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({
      topicId: cluster.topics.get(name)?.id ?? '',
      partition,
    })),
  );
}

function refuse(request: Request, errorCode: number): Response {
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }));
  return { topics };
}

function stage(
  group: Group,
  producerId: number,
  wanted: TopicRequest,
  context: RequestContext,
): Response['topics'][number] {
  const topic = findTopic(wanted, false, context);
  const partitions = wanted.partitions.map((partition) => {
    const { partitionIndex } = partition;
    const injected = context.injected(wanted.name, partitionIndex);
    if (injected !== ERRORS.NONE) return { partitionIndex, errorCode: injected };
    if (typeof topic === 'number') return { partitionIndex, errorCode: topic };
    if (topic.partitions[partitionIndex] === undefined) {
      return { partitionIndex, errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION };
    }
    const metadata = partition.committedMetadata ?? '';
    if (metadata.length > MAX_METADATA_CHARS) {
      return { partitionIndex, errorCode: ERRORS.OFFSET_METADATA_TOO_LARGE };
    }
    const { committedOffset: offset, committedLeaderEpoch: leaderEpoch } = partition;
    group.offsets.stage(producerId, topic.name, partitionIndex, { offset, leaderEpoch, metadata });
    return { partitionIndex, errorCode: ERRORS.NONE };
  });
  return { name: wanted.name, partitions };
}
