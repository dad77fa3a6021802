import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetFetchApi } from '../../../core/protocol/messages/09-offset-fetch.ts';
import type { CommittedOffset, CommittedOffsets } from '../groups/committed-offsets.ts';
import { checkConsumerFetch } from '../groups/consumer/commit-check.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { coordinatorError, findTopic } from './lookup.ts';

type Request = RequestRead<typeof offsetFetchApi>;
type Response = ResponseInit<typeof offsetFetchApi>;
type GroupRequest = Request['groups'][number];
type GroupResponse = NonNullable<Response['groups']>[number];
type PartitionResponse = GroupResponse['topics'][number]['partitions'][number];

const GROUPS_FROM = 8;
const TOPIC_IDS_FROM = 10;

export const offsetFetchHandler = serve(offsetFetchApi, {
  handle(request, context) {
    if (context.version >= GROUPS_FROM)
      return { groups: request.groups.map((group) => fetchGroup(group, request.requireStable, context)) };
    const error = context.injected() || coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return refuseOld(request, error, context.version);
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: '' })) ?? null;
    const wanted = { groupId: request.groupId, topics, stable: request.requireStable };
    return { topics: fetchTopics(wanted, context) as NonNullable<Response['topics']> };
  },
});

/** What is wanted of one group. */
interface Wanted {
  readonly groupId: string;
  /** Null for all. */
  readonly topics: GroupRequest['topics'];
  /** Not what an open transaction may still change. */
  readonly stable: boolean;
}

function fetchGroup(request: GroupRequest, stable: boolean, context: RequestContext): GroupResponse {
  const { groupId, topics } = request;
  const errorCode = context.injected() || coordinatorError(groupId, context) || memberError(request, context);
  if (errorCode !== ERRORS.NONE) return { groupId, topics: [], errorCode };
  return { groupId, topics: fetchTopics({ groupId, topics, stable }, context), errorCode };
}

/** A member of a consumer group has to know its epoch. */
function memberError({ groupId, memberId, memberEpoch }: GroupRequest, context: RequestContext): number {
  const membership = context.cluster.groups.get(groupId)?.membership;
  if (membership?.type !== 'consumer') return ERRORS.NONE;
  return checkConsumerFetch(membership, memberId, memberEpoch);
}

/** Before version 2 there is no place for an error of the group: each partition carries it. */
function refuseOld(request: Request, errorCode: number, version: number): Response {
  if (version >= 2) return { topics: [], errorCode };
  const topics = (request.topics ?? []).map((topic) => ({
    name: topic.name,
    partitions: topic.partitionIndexes.map((index) => describe(index, undefined, errorCode)),
  }));
  return { topics };
}

function fetchTopics({ groupId, topics, stable }: Wanted, context: RequestContext): GroupResponse['topics'] {
  const offsets = context.cluster.groups.get(groupId)?.offsets;
  if (topics === null) return offsets === undefined ? [] : allOf(offsets, stable, context);
  const byId = context.version >= TOPIC_IDS_FROM;
  return topics.map((topic) => {
    const known = findTopic(topic, byId, context);
    // By name, offsets are looked up whether or not the topic exists.
    const name = typeof known === 'number' ? topic.name : known.name;
    const missing = byId && typeof known === 'number' ? known : ERRORS.NONE;
    const partitions = topic.partitionIndexes.map((index) =>
      missing === ERRORS.NONE
        ? describeIn(offsets, name, index, stable)
        : describe(index, undefined, missing),
    );
    return { name: topic.name, topicId: topic.topicId, partitions };
  });
}

function allOf(offsets: CommittedOffsets, stable: boolean, context: RequestContext): GroupResponse['topics'] {
  const known = Array.from(offsets.topics(), ([name, partitions]) => ({
    name,
    topicId: context.cluster.topics.get(name)?.id,
    partitions: Array.from(partitions.keys(), (index) => describeIn(offsets, name, index, stable)),
  }));
  return context.version < TOPIC_IDS_FROM ? known : known.filter(({ topicId }) => topicId !== undefined);
}

function describeIn(
  offsets: CommittedOffsets | undefined,
  topic: string,
  index: number,
  stable: boolean,
): PartitionResponse {
  if (stable && offsets?.hasPending(topic, index) === true) {
    return describe(index, undefined, ERRORS.UNSTABLE_OFFSET_COMMIT);
  }
  return describe(index, offsets?.get(topic, index), ERRORS.NONE);
}

function describe(
  partitionIndex: number,
  committed: CommittedOffset | undefined,
  errorCode: number,
): PartitionResponse {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  };
}
