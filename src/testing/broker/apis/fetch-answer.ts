import type { RequestRead, ResponseInit } from '../../../core/protocol/api.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { fetchApi } from '../../../core/protocol/messages/01-fetch.ts';
import type { RequestContext } from '../handler.ts';
import type { FetchTarget } from '../state/fetch-sessions.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';
import type { FetchPlace } from './fetch-wait.ts';
import { currentLeader, endpointsOf, findReadable, findTopic } from './lookup.ts';
import { preferredReplica } from './preferred-replica.ts';

type Request = RequestRead<typeof fetchApi>;
type Response = ResponseInit<typeof fetchApi>;
type TopicData = Response['responses'][number];
export type PartitionData = TopicData['partitions'][number];

const CURRENT_LEADER_FROM = 16;
const READ_COMMITTED = 1;
const NO_RECORDS = Buffer.alloc(0);
const NO_LOG: ReadonlySet<number> = new Set([ERRORS.UNKNOWN_TOPIC_OR_PARTITION, ERRORS.UNKNOWN_TOPIC_ID]);

/** What a partition gave. */
export interface FetchRow {
  readonly target: FetchTarget;
  readonly data: PartitionData;
}

/** One reading of all partitions that a request is about. */
export class FetchAnswer {
  readonly places: FetchPlace[] = [];
  readonly rows: FetchRow[] = [];
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #leaders = new Set<number>();
  #bytes = 0;
  #left: number;
  #hasNews = false;

  constructor(
    request: Request,
    targets: readonly FetchTarget[],
    context: RequestContext,
    usesTopicIds: boolean,
  ) {
    this.#request = request;
    this.#context = context;
    this.#left = request.maxBytes;
    for (const target of targets) {
      const topic = findTopic(target, usesTopicIds, context);
      this.rows.push({ target, data: this.#read(topic, target) });
    }
  }

  /** Nothing is gained by waiting. */
  get isComplete(): boolean {
    const { maxWaitMs, minBytes } = this.#request;
    return this.#hasNews || maxWaitMs <= 0 || this.places.length === 0 || this.#bytes >= minBytes;
  }

  get #isCommitted(): boolean {
    return this.#request.isolationLevel === READ_COMMITTED;
  }

  /** The answer that says these of the rows. */
  response(rows: readonly FetchRow[]): Response {
    const responses: (TopicData & { partitions: PartitionData[] })[] = [];
    let last: (typeof responses)[number] | undefined;
    for (const { target, data } of rows) {
      if (last?.topic !== target.topic || last.topicId !== target.topicId) {
        last = { topic: target.topic, topicId: target.topicId, partitions: [] };
        responses.push(last);
      }
      last.partitions.push(data);
    }
    if (this.#leaders.size === 0) return { responses };
    return { responses, nodeEndpoints: endpointsOf(this.#leaders, this.#context) };
  }

  #read(topic: Topic | number, target: FetchTarget): PartitionData {
    const reference = { index: target.partition, leaderEpoch: target.currentLeaderEpoch };
    const partition = findReadable(topic, reference, this.#context);
    if (typeof partition === 'number') return this.#failure(topic, target.partition, partition);
    partition.expire(this.#context.cluster.clock.wallNow(), (topic as Topic).config.retentionMs);
    const { log } = partition;
    const { fetchOffset } = target;
    const preferred = preferredReplica(partition, this.#request.rackId, this.#context);
    if (preferred !== undefined && fetchOffset >= log.startOffset && fetchOffset <= log.endOffset) {
      this.#hasNews = true;
      return { ...this.#success(partition, NO_RECORDS, fetchOffset), preferredReadReplica: preferred };
    }
    if (target.lastFetchedEpoch >= 0) {
      const end = log.epochs.endOf(target.lastFetchedEpoch, log.endOffset);
      if (end.endOffset < 0) return this.#failure(topic, target.partition, ERRORS.OFFSET_OUT_OF_RANGE);
      if (end.leaderEpoch < target.lastFetchedEpoch || end.endOffset < fetchOffset) {
        this.#hasNews = true;
        const divergingEpoch = { epoch: end.leaderEpoch, endOffset: end.endOffset };
        return { ...this.#success(partition, NO_RECORDS, fetchOffset), divergingEpoch };
      }
    }
    // A follower has what is replicated.
    const end = partition.leader === this.#context.node.id ? log.endOffset : log.highWatermark;
    if (fetchOffset < log.startOffset || fetchOffset > end) {
      return this.#failure(topic, target.partition, ERRORS.OFFSET_OUT_OF_RANGE);
    }
    const maxBytes = Math.min(this.#left, target.partitionMaxBytes);
    const limit = this.#isCommitted ? log.lastStableOffset : log.highWatermark;
    const records = log.read(fetchOffset, maxBytes, this.#bytes === 0, limit);
    this.#bytes += records.length;
    this.#left = Math.max(0, this.#left - records.length);
    const { leader, leaderEpoch } = partition;
    this.places.push({ partition, leader, leaderEpoch, offset: fetchOffset, isCommitted: this.#isCommitted });
    return this.#success(partition, records, fetchOffset);
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
      // Kafka's own difference: null from a log that was asked, nothing where there is none.
      abortedTransactions: NO_LOG.has(errorCode) ? [] : null,
      records: NO_RECORDS,
    };
    const wasMoved = errorCode === ERRORS.NOT_LEADER_OR_FOLLOWER || errorCode === ERRORS.FENCED_LEADER_EPOCH;
    if (!wasMoved || this.#context.version < CURRENT_LEADER_FROM) return failed;
    const leader = currentLeader(topic, partitionIndex);
    this.#leaders.add(leader.leaderId);
    return { ...failed, currentLeader: leader };
  }
}
