import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { fetchApi } from '../../../core/protocol/messages/01-fetch.ts';
import { serve } from '../handler.ts';
import type { RequestContext } from '../handler.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';
import { currentLeader, endpointsOf, findLed, findTopic } from './lookup.ts';
import { waitForRecords } from './fetch-wait.ts';

type Request = RequestRead<typeof fetchApi>;
type Response = ResponseInit<typeof fetchApi>;
type FetchPartition = Request['topics'][number]['partitions'][number];
type PartitionData = Response['responses'][number]['partitions'][number];

const TOPIC_IDS_FROM = 13;
const CURRENT_LEADER_FROM = 16;
const READ_COMMITTED = 1;
const NO_RECORDS = Buffer.alloc(0);

/** Sessions are declined: every answer says session 0, so clients keep sending whole requests. */
export const fetchHandler = serve(fetchApi, {
  handle(request, context) {
    if (request.sessionId !== 0) return { errorCode: ERRORS.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
    if (request.sessionEpoch > 0) return { errorCode: ERRORS.INVALID_FETCH_SESSION_EPOCH, responses: [] };
    const answer = new FetchAnswer(request, context);
    if (answer.isComplete) return answer.response();
    return waitForRecords({
      clock: context.cluster.clock,
      maxWaitMs: request.maxWaitMs,
      minBytes: request.minBytes,
      places: answer.places,
      nodeId: context.node.id,
      onGone: (run) => context.onGone(run),
      // Read again: leaders, topics and logs may have changed meanwhile.
      answer: () => new FetchAnswer(request, context).response(),
    });
  },
});

/** Where a fetch reads. */
export interface FetchPlace {
  readonly partition: Partition;
  readonly offset: number;
  /** Only up to the last stable offset. */
  readonly isCommitted: boolean;
}

/** One reading of all partitions of a request. */
class FetchAnswer {
  readonly places: FetchPlace[] = [];
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #responses: Response['responses'];
  readonly #leaders = new Set<number>();
  #bytes = 0;
  #left: number;
  #hasNews = false;

  constructor(request: Request, context: RequestContext) {
    this.#request = request;
    this.#context = context;
    this.#left = request.maxBytes;
    this.#responses = request.topics.map((wanted) => {
      const topic = findTopic(wanted, context.version >= TOPIC_IDS_FROM, context);
      const partitions = wanted.partitions.map((partition) => this.#read(topic, partition));
      return { topic: wanted.topic, topicId: wanted.topicId, partitions };
    });
  }

  /** Nothing is gained by waiting. */
  get isComplete(): boolean {
    const { maxWaitMs, minBytes } = this.#request;
    return this.#hasNews || maxWaitMs <= 0 || this.places.length === 0 || this.#bytes >= minBytes;
  }

  get #isCommitted(): boolean {
    return this.#request.isolationLevel === READ_COMMITTED;
  }

  response(): Response {
    const response = { responses: this.#responses };
    if (this.#leaders.size === 0) return response;
    return { ...response, nodeEndpoints: endpointsOf(this.#leaders, this.#context) };
  }

  #read(topic: Topic | number, wanted: FetchPartition): PartitionData {
    const reference = { index: wanted.partition, leaderEpoch: wanted.currentLeaderEpoch };
    const partition = findLed(topic, reference, this.#context);
    if (typeof partition === 'number') return this.#failure(topic, wanted.partition, partition);
    const { log } = partition;
    if (wanted.lastFetchedEpoch >= 0) {
      const end = log.epochs.endOf(wanted.lastFetchedEpoch, log.endOffset);
      if (end.endOffset < 0) return this.#failure(topic, wanted.partition, ERRORS.OFFSET_OUT_OF_RANGE);
      if (end.leaderEpoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset) {
        this.#hasNews = true;
        const divergingEpoch = { epoch: end.leaderEpoch, endOffset: end.endOffset };
        return { ...this.#success(partition, NO_RECORDS, wanted.fetchOffset), divergingEpoch };
      }
    }
    if (wanted.fetchOffset < log.startOffset || wanted.fetchOffset > log.endOffset) {
      return this.#failure(topic, wanted.partition, ERRORS.OFFSET_OUT_OF_RANGE);
    }
    const maxBytes = Math.min(this.#left, wanted.partitionMaxBytes);
    const limit = this.#isCommitted ? log.lastStableOffset : log.highWatermark;
    const records = log.read(wanted.fetchOffset, maxBytes, this.#bytes === 0, limit);
    this.#bytes += records.length;
    this.#left = Math.max(0, this.#left - records.length);
    this.places.push({ partition, offset: wanted.fetchOffset, isCommitted: this.#isCommitted });
    return this.#success(partition, records, wanted.fetchOffset);
  }

  #success(partition: Partition, records: Buffer, offset: number): PartitionData {
    const { log } = partition;
    return {
      partitionIndex: partition.index,
      errorCode: ERRORS.NONE,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.startOffset,
      abortedTransactions: this.#isCommitted ? log.abortedTransactions(offset, records.length) : null,
      records,
    };
  }

  #failure(topic: Topic | number, partitionIndex: number, errorCode: number): PartitionData {
    this.#hasNews = true;
    const failed = {
      partitionIndex,
      errorCode,
      highWatermark: -1,
      abortedTransactions: null,
      records: NO_RECORDS,
    };
    const wasMoved = errorCode === ERRORS.NOT_LEADER_OR_FOLLOWER || errorCode === ERRORS.FENCED_LEADER_EPOCH;
    if (!wasMoved || this.#context.version < CURRENT_LEADER_FROM) return failed;
    const leader = currentLeader(topic, partitionIndex);
    this.#leaders.add(leader.leaderId);
    return { ...failed, currentLeader: leader };
  }
}
