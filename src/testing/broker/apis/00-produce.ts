import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { produceApi } from '../../../core/protocol/messages/00-produce.ts';
import { HANG_UP, NO_ANSWER, serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { checkBatch, isRefusal } from '../log/check-batch.ts';
import { batchBytes } from '../log/stored-batch.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';
import { currentLeader, endpointsOf, findLed, findTopic } from './lookup.ts';

type Request = RequestRead<typeof produceApi>;
type Response = ResponseInit<typeof produceApi>;
type PartitionData = Request['topicData'][number]['partitionData'][number];
type PartitionResponse = Response['responses'][number]['partitionResponses'][number];

const TOPIC_IDS_FROM = 13;
const CURRENT_LEADER_FROM = 10;

// librdkafka does not compress for brokers that announce no Produce before 3, so 0 to 2 are announced and refused, as Kafka does.
const ANNOUNCED_FROM = 0;

export const produceHandler = serve(produceApi, {
  announcedFrom: ANNOUNCED_FROM,
  handle(request, context) {
    const leaders = new Set<number>();
    let failed = false;
    const responses = request.topicData.map((data) => {
      const topic = findTopic(data, context.version >= TOPIC_IDS_FROM, context);
      const partitionResponses = data.partitionData.map((partition) => {
        const response = produceTo(topic, partition, request.acks, context);
        if (response.errorCode !== ERRORS.NONE) failed = true;
        if (response.currentLeader?.leaderId !== undefined) leaders.add(response.currentLeader.leaderId);
        return response;
      });
      return { name: data.name, topicId: data.topicId, partitionResponses };
    });
    if (request.acks === 0) return failed ? HANG_UP : NO_ANSWER;
    if (leaders.size === 0) return { responses };
    return { responses, nodeEndpoints: endpointsOf(leaders, context) };
  },
});

function produceTo(
  topic: Topic | number,
  data: PartitionData,
  acks: number,
  context: RequestContext,
): PartitionResponse {
  if (acks !== -1 && acks !== 0 && acks !== 1) return failure(data.index, ERRORS.INVALID_REQUIRED_ACKS, null);
  const partition = findLed(topic, { index: data.index }, context);
  if (typeof partition !== 'number') return append(topic as Topic, partition, data, context);
  const response = failure(data.index, partition, null);
  if (partition !== ERRORS.NOT_LEADER_OR_FOLLOWER || context.version < CURRENT_LEADER_FROM) return response;
  return { ...response, currentLeader: currentLeader(topic, data.index) };
}

function append(
  topic: Topic,
  partition: Partition,
  data: PartitionData,
  context: RequestContext,
): PartitionResponse {
  const { log } = partition;
  const { clock } = context.cluster;
  const checked = checkBatch(data.records, topic.config.batchLimits(clock));
  if (isRefusal(checked)) return failure(data.index, checked.code, checked.message);
  const verdict = log.producers.check(checked);
  if (verdict.kind === 'refused') return failure(data.index, verdict.code, verdict.message);
  if (verdict.kind === 'duplicate') {
    return success(partition, verdict.baseOffset, verdict.timestamp);
  }
  const appendTime = topic.config.isAppendTime ? clock.wallNow() : undefined;
  const baseOffset = log.append(data.records!, checked, {
    leaderEpoch: partition.leaderEpoch,
    appendTime,
    retentionBytes: topic.config.retentionBytes,
  });
  context.cluster.tell({
    kind: 'append',
    clientId: context.clientId,
    topic: topic.name,
    partition: partition.index,
    baseOffset,
    lastOffset: log.endOffset - 1,
    bytes: batchBytes(log.batches.at(-1)!),
  });
  partition.wake();
  return success(partition, baseOffset, appendTime ?? -1);
}

function success(partition: Partition, baseOffset: number, logAppendTimeMs: number): PartitionResponse {
  return {
    index: partition.index,
    errorCode: ERRORS.NONE,
    baseOffset,
    logAppendTimeMs,
    logStartOffset: partition.log.startOffset,
  };
}

function failure(index: number, errorCode: number, errorMessage: string | null): PartitionResponse {
  return { index, errorCode, baseOffset: -1, errorMessage };
}
