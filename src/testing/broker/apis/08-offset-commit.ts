import type { RequestRead } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetCommitApi } from '../../../core/protocol/messages/08-offset-commit.ts';
import type { Group } from '../groups/group.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { Topic } from '../state/topic.ts';
import { coordinatorError, findTopic } from './lookup.ts';

type Request = RequestRead<typeof offsetCommitApi>;
type TopicRequest = Request['topics'][number];

const TOPIC_IDS_FROM = 10;
/** `offset.metadata.max.bytes`, which Kafka compares with characters. */
const MAX_METADATA_CHARS = 4096;

export const offsetCommitHandler = serve(offsetCommitApi, {
  handle(request, context) {
    const error = coordinatorError(request.groupId, context);
    const topics = request.topics.map((topic) => checkTopic(topic, context));
    const good = topics
      .flatMap(({ partitions }) => partitions)
      .filter((one) => one.errorCode === ERRORS.NONE);
    const group = error || findGroup(request, good, context);
    if (typeof group === 'number') for (const one of good) one.errorCode = group;
    else commit(group, request, good, context);
    return {
      topics: topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex, errorCode }) => ({ partitionIndex, errorCode })),
      })),
    };
  },
});

/** One partition of a request, with the error found for it so far. */
interface Checked {
  readonly topic: Topic | undefined;
  readonly partitionIndex: number;
  readonly wanted: TopicRequest['partitions'][number];
  errorCode: number;
}

function checkTopic(
  wanted: TopicRequest,
  context: RequestContext,
): { readonly name: string; readonly topicId: string; readonly partitions: Checked[] } {
  const found = findTopic(wanted, context.version >= TOPIC_IDS_FROM, context);
  const topic = typeof found === 'number' ? undefined : found;
  const partitions = wanted.partitions.map((partition): Checked => {
    const { partitionIndex } = partition;
    const injected = context.injected(topic?.name ?? wanted.name, partitionIndex);
    const missing = typeof found === 'number' ? found : checkPartition(found, partitionIndex);
    return { topic, partitionIndex, wanted: partition, errorCode: injected || missing };
  });
  return { name: wanted.name, topicId: wanted.topicId, partitions };
}

function checkPartition(topic: Topic, index: number): number {
  return topic.partitions[index] === undefined ? ERRORS.UNKNOWN_TOPIC_OR_PARTITION : ERRORS.NONE;
}

/** The group to commit to, or the error for all of the request that is not wrong already. */
function findGroup(request: Request, checked: readonly Checked[], context: RequestContext): Group | number {
  if (checked.length === 0) return ERRORS.NONE;
  const fits = checked.filter(({ wanted }) => !isTooLong(wanted.committedMetadata));
  return context.cluster.groups.checkCommit(
    request.groupId,
    {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationIdOrMemberEpoch,
      version: context.version,
      isTransactional: false,
    },
    fits.map(({ topic, partitionIndex }) => ({ topicId: topic?.id ?? '', partition: partitionIndex })),
  );
}

function commit(group: Group, request: Request, checked: readonly Checked[], context: RequestContext): void {
  const { cluster } = context;
  const atMs = cluster.clock.now();
  const expiresAtMs = request.retentionTimeMs < 0 ? undefined : atMs + request.retentionTimeMs;
  for (const one of checked) {
    const { committedOffset: offset, committedLeaderEpoch: leaderEpoch, committedMetadata } = one.wanted;
    if (isTooLong(committedMetadata)) {
      one.errorCode = ERRORS.OFFSET_METADATA_TOO_LARGE;
      continue;
    }
    const committed = { offset, leaderEpoch, metadata: committedMetadata ?? '' };
    const topic = one.topic!.name;
    group.offsets.set(topic, one.partitionIndex, committed, { atMs, expiresAtMs });
    cluster.tell({
      kind: 'commit',
      clientId: context.clientId,
      groupId: request.groupId,
      memberId: request.memberId,
      generationId: request.generationIdOrMemberEpoch,
      topic,
      partition: one.partitionIndex,
      ...committed,
    });
  }
  cluster.groups.changed(request.groupId);
}

function isTooLong(metadata: string | null): boolean {
  return metadata !== null && metadata.length > MAX_METADATA_CHARS;
}
