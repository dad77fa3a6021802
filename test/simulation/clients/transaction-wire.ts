// Transactions, request by request: what a transactional producer says on the wire.
import { delay } from '../../../src/core/clock.ts';
import type { Cluster } from '../../../src/core/cluster/cluster.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../../../src/core/protocol/api.ts';
import { errorCode, ERRORS } from '../../../src/core/protocol/error-codes.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../src/core/protocol/messages/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../../../src/core/protocol/messages/26-end-txn.ts';
import { BatchBuilder } from '../../../src/core/records/batch-builder.ts';

/** A transaction cannot go on; its producer must begin anew. */
export class Abandoned extends Error {}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

const RETRY_MS = 100;
const REQUEST_MS = 3000;
const TXN_TIMEOUT_MS = 8000;
const MAX_BATCH_BYTES = 1_000_000;
/** Without transaction version 2, which adds partitions by producing and bumps the epoch at each end. */
const LAST_ADD = 3;
const LAST_END = 4;
const LAST_PRODUCE = 11;
const DUPLICATE_SEQUENCE = 46;

/** Retriable in a transaction although not in general. */
const WAITS: ReadonlySet<number> = new Set([ERRORS.CONCURRENT_TRANSACTIONS]);

export class TransactionWire {
  private readonly cluster: Cluster;
  private readonly transactionalId: string;
  private readonly sequences = new Map<string, number>();
  private producerId = -1;
  private producerEpoch = -1;

  constructor(cluster: Cluster, transactionalId: string) {
    this.cluster = cluster;
    this.transactionalId = transactionalId;
  }

  /** Fences who used the id before, and ends what is open of it. */
  async init(): Promise<void> {
    const { transactionalId } = this;
    const request = { transactionalId, transactionTimeoutMs: TXN_TIMEOUT_MS };
    const answer = await this.ask(initProducerIdApi, request, Infinity, (one) => one.errorCode);
    this.producerId = answer.producerId;
    this.producerEpoch = answer.producerEpoch;
    this.sequences.clear();
  }

  async addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))].map((name) => ({
      name,
      partitions: partitions.filter(({ topic }) => topic === name).map(({ partition }) => partition),
    }));
    await this.ask(
      addPartitionsToTxnApi,
      {
        transactions: [],
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: this.producerId,
        v3AndBelowProducerEpoch: this.producerEpoch,
        v3AndBelowTopics: topics,
      },
      LAST_ADD,
      (answer) =>
        worst(
          answer.resultsByTopicV3AndBelow.flatMap((one) =>
            one.resultsByPartition.map((part) => part.partitionErrorCode),
          ),
        ),
    );
  }

  /** Resolves with the first offset, -1 where it is not known; the same bytes are sent until they are answered. */
  async produce({ topic, partition }: TopicPartition, values: readonly string[]): Promise<number> {
    const { cluster, producerId, producerEpoch, transactionalId } = this;
    const place = `${topic}-${partition}`;
    const baseSequence = this.sequences.get(place) ?? 0;
    const builder = new BatchBuilder(MAX_BATCH_BYTES);
    for (const value of values) builder.tryAppend(null, value, undefined, cluster.clock.wallNow());
    const records = builder.seal({
      codec: 'none',
      producerId,
      producerEpoch,
      baseSequence,
      transactional: true,
    });
    this.sequences.set(place, baseSequence + values.length);
    for (;;) {
      const leader = cluster.metadata.leader(topic, partition);
      if (leader !== undefined) {
        const body = {
          transactionalId,
          acks: -1,
          timeoutMs: REQUEST_MS / 2,
          topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
        };
        const answer = await cluster
          .send(leader.nodeId, produceApi, body as never, { timeoutMs: REQUEST_MS, maxVersion: LAST_PRODUCE })
          .catch(() => undefined);
        const part = answer?.responses[0]?.partitionResponses[0];
        if (part?.errorCode === 0) return part.baseOffset;
        if (part?.errorCode === DUPLICATE_SEQUENCE) return -1;
        if (part !== undefined) this.mustBeRetriable(part.errorCode);
      }
      await delay(cluster.clock, RETRY_MS);
      await cluster.refresh([topic]).catch(() => undefined);
    }
  }

  async end(committed: boolean): Promise<void> {
    const { transactionalId, producerId, producerEpoch } = this;
    await this.ask(
      endTxnApi,
      { transactionalId, producerId, producerEpoch, committed },
      LAST_END,
      (one) => one.errorCode,
    );
  }

  private async ask<A extends AnyApi>(
    api: A,
    request: RequestOf<A>,
    maxVersion: number,
    codeOf: (answer: ResponseOf<A>) => number,
  ): Promise<ResponseOf<A>> {
    const { cluster, transactionalId } = this;
    for (;;) {
      try {
        const node = await cluster.coordinator('transaction', transactionalId);
        const answer = await cluster.send(node, api, request, {
          timeoutMs: REQUEST_MS,
          maxVersion,
          use: 'coordinator',
        });
        const code = codeOf(answer);
        if (code === 0) return answer;
        this.mustBeRetriable(code);
      } catch (error) {
        if (error instanceof Abandoned || cluster.closed) throw error;
      }
      cluster.forgetCoordinator('transaction', transactionalId);
      await delay(cluster.clock, RETRY_MS);
    }
  }

  private mustBeRetriable(code: number): void {
    const { retriable, name } = errorCode(code);
    if (!retriable && !WAITS.has(code)) throw new Abandoned(name);
  }
}

function worst(codes: readonly number[]): number {
  return (
    codes.find((code) => code !== 0 && !errorCode(code).retriable && !WAITS.has(code)) ??
    codes.find((code) => code !== 0) ??
    0
  );
}
