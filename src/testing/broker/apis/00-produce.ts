import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { produceApi } from '../../../core/protocol/messages/00-produce.ts';
import { HANG_UP, NO_ANSWER, serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import { isTransactional } from '../log/batch-header.ts';
import { appendRecords } from './append-records.ts';
import type { Topic } from '../state/topic.ts';
import { currentLeader, endpointsOf, findLed, findTopic } from './lookup.ts';
import { waitForReplicas } from './replica-wait.ts';
import type { UnreplicatedAppend } from './replica-wait.ts';

type Request = RequestRead<typeof produceApi>;
type Response = ResponseInit<typeof produceApi>;
type PartitionData = Request['topicData'][number]['partitionData'][number];
type PartitionResponse = Response['responses'][number]['partitionResponses'][number];

const TOPIC_IDS_FROM = 13;
const CURRENT_LEADER_FROM = 10;
const ALL_IN_SYNC = -1;
/** Errors found before the log is looked at; the others tell where the log begins. */
const BEFORE_THE_LOG: ReadonlySet<number> = new Set([ERRORS.CORRUPT_MESSAGE, ERRORS.MESSAGE_TOO_LARGE]);

// librdkafka does not compress for brokers that announce no Produce before 3, so 0 to 2 are announced and refused, as Kafka does.
const ANNOUNCED_FROM = 0;

export const produceHandler = serve(produceApi, {
  announcedFrom: ANNOUNCED_FROM,
  handle(request, context) {
    const produced = new ProduceAnswer(request, context);
    if (request.acks === 0) return produced.failed ? HANG_UP : NO_ANSWER;
    if (produced.unreplicated.length === 0) return produced.response();
    const { clock } = context.cluster;
    const { unreplicated } = produced;
    return waitForReplicas({
      clock,
      timeoutMs: request.timeoutMs,
      unreplicated,
      onGone: context.onGone.bind(context),
    }).then(() => produced.response());
  },
});

/** The answers to all partitions of a request. */
class ProduceAnswer {
  failed = false;
  /** Appends that are to be answered when the replicas have them. */
  readonly unreplicated: UnreplicatedAppend[] = [];
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #responses: Response['responses'];
  readonly #leaders = new Set<number>();

  constructor(request: Request, context: RequestContext) {
    this.#request = request;
    this.#context = context;
    const isAnonymous = request.transactionalId === null && request.topicData.some(hasTransactional);
    this.#responses = request.topicData.map((data) => {
      const topic = findTopic(data, context.version >= TOPIC_IDS_FROM, context);
      const partitionResponses = data.partitionData.map((partition) => {
        const response = isAnonymous
          ? failure(partition.index, ERRORS.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
          : this.#produce(topic, partition);
        if (response.errorCode !== ERRORS.NONE) this.failed = true;
        return response;
      });
      return { name: data.name, topicId: data.topicId, partitionResponses };
    });
  }

  response(): Response {
    const responses = this.#responses;
    if (this.#leaders.size === 0) return { responses };
    return { responses, nodeEndpoints: endpointsOf(this.#leaders, this.#context) };
  }

  #produce(topic: Topic | number, data: PartitionData): PartitionResponse {
    const { acks } = this.#request;
    const { index } = data;
    if (acks !== ALL_IN_SYNC && acks !== 0 && acks !== 1) return failure(index, ERRORS.INVALID_REQUIRED_ACKS);
    const partition = findLed(topic, { index }, this.#context);
    if (typeof partition === 'number') return this.#refused(topic, index, partition);
    const { config } = topic as Topic;
    const { cluster } = this.#context;
    // More than there are replicas cannot be asked for.
    const minInsyncReplicas = Math.min(config.minInsyncReplicas, partition.replicas.length);
    const inSync = acks === ALL_IN_SYNC ? cluster.inSyncReplicas(partition).length : Infinity;
    const { startOffset } = partition.log;
    if (inSync < minInsyncReplicas) {
      return { ...failure(index, ERRORS.NOT_ENOUGH_REPLICAS), logStartOffset: startOffset };
    }
    const { transactionalId } = this.#request;
    const appended = appendRecords(
      { topic: topic as Topic, partition, records: data.records, transactionalId },
      this.#context,
    );
    if ('code' in appended) {
      const { code, message, recordErrors = [] } = appended;
      const isFromLog = appended.isUnverified !== true && !BEFORE_THE_LOG.has(code);
      const logStartOffset = isFromLog ? startOffset : -1;
      return { ...failure(index, code, message), recordErrors, logStartOffset };
    }
    const response: PartitionResponse = {
      index,
      errorCode: ERRORS.NONE,
      baseOffset: appended.baseOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: partition.log.startOffset,
    };
    if (acks === ALL_IN_SYNC) this.#awaitReplicas(response, partition, minInsyncReplicas);
    return response;
  }

  #awaitReplicas(
    response: UnreplicatedAppend['response'],
    partition: UnreplicatedAppend['partition'],
    minInsyncReplicas: number,
  ): void {
    const { endOffset, highWatermark } = partition.log;
    partition.awaitedByAll = endOffset;
    if (highWatermark >= endOffset) {
      partition.acknowledgedByAll = endOffset;
      return;
    }
    const { cluster } = this.#context;
    const hasEnough = (): boolean => cluster.inSyncReplicas(partition).length >= minInsyncReplicas;
    const { leaderEpoch } = partition;
    this.unreplicated.push({ response, partition, endOffset, leaderEpoch, hasEnough });
  }

  #refused(topic: Topic | number, index: number, errorCode: number): PartitionResponse {
    const response = failure(index, errorCode);
    const knowsLeader = this.#context.version >= CURRENT_LEADER_FROM;
    if (errorCode !== ERRORS.NOT_LEADER_OR_FOLLOWER || !knowsLeader) return response;
    const leader = currentLeader(topic, index);
    this.#leaders.add(leader.leaderId);
    return { ...response, currentLeader: leader };
  }
}

function hasTransactional({ partitionData }: Request['topicData'][number]): boolean {
  return partitionData.some(({ records }) => records !== null && isTransactional(records));
}

function failure(index: number, errorCode: number, errorMessage: string | null = null): PartitionResponse {
  return { index, errorCode, baseOffset: -1, errorMessage };
}
