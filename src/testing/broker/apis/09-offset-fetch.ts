import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { offsetFetchApi } from '../../../core/protocol/messages/09-offset-fetch.ts';
import type { CommittedOffset, CommittedOffsets } from '../groups/committed-offsets.ts';
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
      return { groups: request.groups.map((group) => fetchGroup(group, context)) };
    const error = context.injected() || coordinatorError(request.groupId, context);
    if (error !== ERRORS.NONE) return refuseOld(request, error, context.version);
    const wanted = request.topics?.map((topic) => ({ ...topic, topicId: '' })) ?? null;
    return { topics: fetchTopics(request.groupId, wanted, context) as NonNullable<Response['topics']> };
  },
});

function fetchGroup(wanted: GroupRequest, context: RequestContext): GroupResponse {
  const { groupId } = wanted;
  const errorCode = context.injected() || coordinatorError(groupId, context);
  if (errorCode !== ERRORS.NONE) return { groupId, topics: [], errorCode };
  return { groupId, topics: fetchTopics(groupId, wanted.topics, context), errorCode };
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

function fetchTopics(
  groupId: string,
  wanted: GroupRequest['topics'],
  context: RequestContext,
): GroupResponse['topics'] {
  const offsets = context.cluster.groups.get(groupId)?.offsets;
  if (wanted === null) return offsets === undefined ? [] : allOf(offsets, context);
  const byId = context.version >= TOPIC_IDS_FROM;
  return wanted.map((topic) => {
    const known = findTopic(topic, byId, context);
    // By name, offsets are looked up whether or not the topic exists.
    const name = typeof known === 'number' ? topic.name : known.name;
    const error = byId && typeof known === 'number' ? known : ERRORS.NONE;
    const partitions = topic.partitionIndexes.map((index) =>
      describe(index, offsets?.get(name, index), error),
    );
    return { name: topic.name, topicId: topic.topicId, partitions };
  });
}

function allOf(offsets: CommittedOffsets, context: RequestContext): GroupResponse['topics'] {
  return Array.from(offsets.topics(), ([name, partitions]) => ({
    name,
    topicId: context.cluster.topics.get(name)?.id,
    partitions: Array.from(partitions, ([index, committed]) => describe(index, committed, ERRORS.NONE)),
  }));
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
