// Requests of transactions, short enough to write many of them.
import { readBatchHeader } from '../../../../src/testing/broker/log/batch-header.ts';
import { BATCH_OVERHEAD } from '../../../../src/core/records/batch-header.ts';
import { crc32c } from '../../../../src/core/records/crc32c.ts';
import { ERRORS } from '../../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../../../../src/core/protocol/messages/01-fetch.ts';
import { listOffsetsApi } from '../../../../src/core/protocol/messages/02-list-offsets.ts';
import { offsetCommitApi } from '../../../../src/core/protocol/messages/08-offset-commit.ts';
import { offsetFetchApi } from '../../../../src/core/protocol/messages/09-offset-fetch.ts';
import { deleteRecordsApi } from '../../../../src/core/protocol/messages/21-delete-records.ts';
import { offsetForLeaderEpochApi } from '../../../../src/core/protocol/messages/23-offset-for-leader-epoch.ts';
import { addOffsetsToTxnApi } from '../../../../src/core/protocol/messages/25-add-offsets-to-txn.ts';
import { txnOffsetCommitApi } from '../../../../src/core/protocol/messages/28-txn-offset-commit.ts';
import { listTransactionsApi } from '../../../../src/core/protocol/messages/66-list-transactions.ts';
import { writeTxnMarkersApi } from '../../../../src/core/protocol/messages/27-write-txn-markers.ts';
import { initProducerIdApi } from '../../../../src/core/protocol/messages/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../../src/core/protocol/messages/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../../../../src/core/protocol/messages/26-end-txn.ts';
import { describeProducersApi } from '../../../../src/core/protocol/messages/61-describe-producers.ts';
import { batchOf, produceRequest } from '../requests.ts';
import type { Stage } from './stage.ts';

export interface Producer {
  readonly producerId: number;
  readonly epoch: number;
}

const TIMEOUT_MS = 60_000;
const TRANSACTIONAL = 0x10;
const OFFSETS_TOPIC = '__consumer_offsets';

/** A batch of a transaction. */
export function transactional(batch: Buffer): Buffer {
  batch.writeInt16BE(batch.readInt16BE(21) | TRANSACTIONAL, 21);
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
  return batch;
}

/** Asks for a producer id, again while an old transaction is being ended; the answer is written down. */
export async function init(
  stage: Stage,
  transactionalId: string | null,
  options: { readonly version?: number; readonly from?: Producer; readonly timeoutMs?: number } = {},
): Promise<Producer> {
  const request = {
    transactionalId,
    transactionTimeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    ...(options.from && { producerId: options.from.producerId, producerEpoch: options.from.epoch }),
  };
  let answer = await stage.call(initProducerIdApi, options.version ?? 4, request);
  // A real broker that has just started fetches its first block of ids.
  await stage.until(async () => {
    if (answer.errorCode !== ERRORS.COORDINATOR_LOAD_IN_PROGRESS) return true;
    answer = await stage.call(initProducerIdApi, options.version ?? 4, request);
    return false;
  });
  stage.note(`init v${options.version ?? 4}`, answer);
  return { producerId: answer.producerId, epoch: answer.producerEpoch };
}

export async function add(
  stage: Stage,
  transactionalId: string,
  producer: Producer,
  topic: string,
  options: { readonly version?: number; readonly partitions?: readonly number[] } = {},
): Promise<void> {
  const answer = await stage.call(addPartitionsToTxnApi, options.version ?? 3, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.epoch,
    v3AndBelowTopics: [{ name: topic, partitions: options.partitions ?? [0] }],
  });
  stage.note(`add v${options.version ?? 3}`, answer.resultsByTopicV3AndBelow);
}

export interface ProduceOptions {
  readonly transactionalId?: string | null;
  readonly version?: number;
  readonly sequence?: number;
  readonly values?: readonly string[];
  readonly partition?: number;
  /** Milliseconds after the base time of the comparison. */
  readonly after?: number;
  readonly isTransactional?: boolean;
  readonly acks?: number;
}

/** Produces a batch; code and offsets of the answer are written down, the code is returned. Texts of errors are not compared: Kafka has none at most places. */
export async function produce(
  stage: Stage,
  topic: string,
  producer: Producer,
  options: ProduceOptions = {},
): Promise<number> {
  const version = options.version ?? 11;
  const batch = batchOf({
    values: options.values ?? ['a', 'b'],
    producerId: producer.producerId,
    producerEpoch: producer.epoch,
    baseSequence: options.sequence ?? 0,
    timestamp: stage.baseMs + (options.after ?? 0),
  });
  const isTransactional = options.isTransactional ?? options.transactionalId !== undefined;
  const answer = await stage.call(produceApi, version, {
    transactionalId: options.transactionalId ?? null,
    acks: options.acks ?? -1,
    timeoutMs: 5000,
    topicData: [
      {
        name: topic,
        ...(version >= 13 && { topicId: await stage.topicId(topic) }),
        partitionData: [
          { index: options.partition ?? 0, records: isTransactional ? transactional(batch) : batch },
        ],
      },
    ],
  });
  const { errorCode, baseOffset, logAppendTimeMs, logStartOffset } =
    answer.responses[0]!.partitionResponses[0]!;
  stage.note(`produce v${version}`, { errorCode, baseOffset, logAppendTimeMs, logStartOffset });
  return errorCode;
}

/** Ends a transaction; returns who the producer is from then on. */
export async function end(
  stage: Stage,
  transactionalId: string,
  producer: Producer,
  commit: boolean,
  version = 4,
): Promise<Producer> {
  const answer = await stage.call(endTxnApi, version, {
    transactionalId,
    producerId: producer.producerId,
    producerEpoch: producer.epoch,
    committed: commit,
  });
  stage.note(`end v${version} ${commit ? 'commit' : 'abort'}`, answer);
  await stage.settled(transactionalId);
  if (version < 5 || answer.errorCode !== 0) return producer;
  return { producerId: answer.producerId, epoch: answer.producerEpoch };
}

export async function state(stage: Stage, transactionalId: string): Promise<void> {
  const { transactionStartTimeMs, topics, ...described } = await stage.describe(transactionalId);
  // How many partitions the offsets topic has is a broker's own business.
  const sorted = topics
    .map(({ topic, partitions }) => ({
      topic,
      partitions: topic === OFFSETS_TOPIC ? [] : [...partitions].sort(),
    }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  stage.note('transaction', { ...described, topics: sorted, hasStarted: transactionStartTimeMs > 0 });
}

export interface FetchOptions {
  readonly offset?: number;
  readonly committed?: boolean;
  readonly partitionMaxBytes?: number;
  readonly partition?: number;
}

/** Fetches, and writes down offsets, aborted transactions and the headers of the batches; markers byte by byte, but for their time. */
export async function fetch(stage: Stage, topic: string, options: FetchOptions = {}): Promise<void> {
  const answer = await stage.call(fetchApi, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 2 ** 30,
    isolationLevel: options.committed === true ? 1 : 0,
    topics: [
      {
        topic,
        partitions: [
          {
            partition: options.partition ?? 0,
            fetchOffset: options.offset ?? 0,
            partitionMaxBytes: options.partitionMaxBytes ?? 2 ** 20,
          },
        ],
      },
    ],
  });
  const { records, ...rest } = answer.responses[0]!.partitions[0]!;
  const { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions } = rest;
  const batches = batchesIn(records ?? Buffer.alloc(0)).map((batch) => describeBatch(batch));
  stage.note(`fetch ${JSON.stringify(options)}`, {
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions,
    bytes: records?.length,
    batches,
  });
}

function batchesIn(records: Buffer): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at + BATCH_OVERHEAD <= records.length;) {
    const size = records.readInt32BE(at + 8) + 12;
    if (at + size > records.length) break;
    batches.push(records.subarray(at, at + size));
    at += size;
  }
  return batches;
}

function describeBatch(batch: Buffer): unknown {
  // Not the checksum, which covers the producer's id; and a marker has a time of its own.
  const { crc: _crc, maxTimestamp, ...header } = readBatchHeader(batch);
  const described = { ...header, head: batch.subarray(8, 17), records: batch.subarray(BATCH_OVERHEAD) };
  return header.isControl ? described : { ...described, maxTimestamp };
}

export async function offsets(stage: Stage, topic: string, timestamps: readonly number[]): Promise<void> {
  for (const isolationLevel of [0, 1]) {
    for (const timestamp of timestamps) {
      const answer = await stage.call(listOffsetsApi, 8, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      const asked = timestamp < 0 ? timestamp : timestamp - stage.baseMs;
      stage.note(`offset of ${asked}, isolation ${isolationLevel}`, answer.topics[0]!.partitions[0]);
    }
  }
}

export async function producers(stage: Stage, topic: string, partition = 0): Promise<void> {
  const answer = await stage.call(describeProducersApi, 0, {
    topics: [{ name: topic, partitionIndexes: [partition] }],
  });
  const { errorCode, activeProducers } = answer.topics[0]!.partitions[0]!;
  const known = activeProducers
    .map(({ lastTimestamp, ...entry }) => ({ ...entry, isOfRecord: lastTimestamp >= stage.baseMs }))
    .sort((a, b) => a.producerId - b.producerId);
  stage.note('producers', { errorCode, known });
}

export interface Offsets {
  readonly version?: number;
  readonly topic: string;
  readonly offset?: number;
  readonly partition?: number;
  readonly metadata?: string | null;
  readonly generationId?: number;
  readonly memberId?: string;
}

/** Commits an offset of a group as part of a transaction. */
export async function commitOffsets(
  stage: Stage,
  transactionalId: string,
  producer: Producer,
  groupId: string,
  options: Offsets,
): Promise<void> {
  const version = options.version ?? 3;
  const answer = await stage.call(txnOffsetCommitApi, version, {
    transactionalId,
    groupId,
    producerId: producer.producerId,
    producerEpoch: producer.epoch,
    ...(options.generationId !== undefined && { generationId: options.generationId }),
    ...(options.memberId !== undefined && { memberId: options.memberId }),
    topics: [
      {
        name: options.topic,
        partitions: [
          {
            partitionIndex: options.partition ?? 0,
            committedOffset: options.offset ?? 1,
            committedMetadata: options.metadata ?? null,
          },
        ],
      },
    ],
  });
  stage.note(`commit offsets v${version}`, answer.topics);
}

export async function addOffsets(
  stage: Stage,
  transactionalId: string,
  producer: Producer,
  groupId: string,
  version = 3,
): Promise<void> {
  const { errorCode } = await stage.call(addOffsetsToTxnApi, version, {
    transactionalId,
    groupId,
    producerId: producer.producerId,
    producerEpoch: producer.epoch,
  });
  stage.note(`add offsets v${version}`, errorCode);
}

/** What a group has committed for partition 0 of a topic, with and without what is pending. */
export async function committed(stage: Stage, groupId: string, topic: string): Promise<void> {
  for (const requireStable of [false, true]) {
    const answer = await stage.call(offsetFetchApi, 7, {
      groupId,
      topics: [{ name: topic, partitionIndexes: [0] }],
      requireStable,
    });
    const { errorCode, topics } = answer;
    stage.note(`committed${requireStable ? ', stable' : ''}`, { errorCode, topics });
  }
}

/** Commits an offset outside any transaction. */
export async function commitPlain(
  stage: Stage,
  groupId: string,
  topic: string,
  committedOffset: number,
): Promise<void> {
  const answer = await stage.call(offsetCommitApi, 7, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }],
  });
  stage.note('plain commit', answer.topics);
}

export async function deleteBefore(stage: Stage, topic: string, offset: number): Promise<void> {
  const answer = await stage.call(deleteRecordsApi, 2, {
    timeoutMs: 5000,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
  });
  stage.note(`delete before ${offset}`, answer.topics);
}

export async function endOfEpoch(stage: Stage, topic: string, leaderEpoch: number): Promise<void> {
  const answer = await stage.call(offsetForLeaderEpochApi, 3, {
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch }] }],
  });
  stage.note(`end of epoch ${leaderEpoch}`, answer.topics);
}

export interface ListFilter {
  readonly states?: readonly string[];
  readonly producers?: readonly Producer[];
  readonly durationMs?: number;
  readonly pattern?: string;
}

/** Lists the transactional ids of this comparison. */
export async function list(stage: Stage, filter: ListFilter = {}): Promise<void> {
  const answer = await stage.call(listTransactionsApi, 2, {
    stateFilters: filter.states ?? [],
    producerIdFilters: (filter.producers ?? []).map(({ producerId }) => producerId),
    durationFilter: filter.durationMs ?? -1,
    transactionalIdPattern: filter.pattern ?? null,
  });
  const { errorCode, unknownStateFilters, transactionStates } = answer;
  const own = transactionStates
    .filter(({ transactionalId }) => transactionalId.startsWith(stage.name('tx-listed')))
    .sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1));
  stage.note('list', { errorCode, unknownStateFilters, own });
}

/** Adds partitions as brokers do, or asks for them. */
export async function addAsBroker(
  stage: Stage,
  transactionalId: string,
  producer: Producer,
  topic: string,
  options: {
    readonly version?: number;
    readonly verifyOnly?: boolean;
    readonly partitions?: readonly number[];
  } = {},
): Promise<void> {
  const version = options.version ?? 5;
  const answer = await stage.call(addPartitionsToTxnApi, version, {
    transactions: [
      {
        transactionalId,
        producerId: producer.producerId,
        producerEpoch: producer.epoch,
        verifyOnly: options.verifyOnly ?? false,
        topics: [{ name: topic, partitions: options.partitions ?? [0] }],
      },
    ],
  });
  const { errorCode, resultsByTransaction } = answer;
  for (const { resultsByPartition } of resultsByTransaction.flatMap(({ topicResults }) => topicResults)) {
    resultsByPartition.sort((a, b) => a.partitionIndex - b.partitionIndex);
  }
  stage.note(`add v${version}`, { errorCode, resultsByTransaction });
}

/** Writes a marker as a tool does. */
export async function writeMarker(
  stage: Stage,
  topic: string,
  producer: Producer,
  options: {
    readonly version?: number;
    readonly commit?: boolean;
    readonly coordinatorEpoch?: number;
    readonly transactionVersion?: number;
  } = {},
): Promise<void> {
  const version = options.version ?? 1;
  const answer = await stage.call(writeTxnMarkersApi, version, {
    markers: [
      {
        producerId: producer.producerId,
        producerEpoch: producer.epoch,
        transactionResult: options.commit ?? false,
        topics: [{ name: topic, partitionIndexes: [0] }],
        coordinatorEpoch: options.coordinatorEpoch ?? 0,
        transactionVersion: options.transactionVersion ?? 0,
      },
    ],
  });
  stage.note(`marker v${version}`, answer.markers);
}

/** Produces bytes as they are; code and offsets of the answer are written down. */
export async function produceBytes(
  stage: Stage,
  label: string,
  topic: string,
  records: Uint8Array | null,
  options: { readonly acks?: number; readonly version?: number } = {},
): Promise<void> {
  const request = produceRequest(records, { topic, acks: options.acks ?? -1 });
  const answer = await stage.call(produceApi, options.version ?? 9, request);
  // Not the texts: Kafka explains few errors, the box most.
  const {
    errorCode,
    baseOffset,
    logStartOffset,
    logAppendTimeMs: time,
  } = answer.responses[0]!.partitionResponses[0]!;
  stage.note(label, { errorCode, baseOffset, logStartOffset, logAppendTimeMs: time > 0 ? 'now' : time });
}
