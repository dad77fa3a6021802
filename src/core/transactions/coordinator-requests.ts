// The requests of a transaction, each repeated until it is answered for good or its deadline is over.

import { BrokerError, ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import type { Cluster, CoordinatorKind, SendOptions } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { apiVersionsApi } from '../protocol/messages/18-api-versions.ts';
import { initProducerIdApi } from '../protocol/messages/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../protocol/messages/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../protocol/messages/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../protocol/messages/26-end-txn.ts';
import { txnOffsetCommitApi } from '../protocol/messages/28-txn-offset-commit.ts';
import type { ProducerIdentity } from '../producer/sequence.ts';
import type { GroupMetadata, TransactionOffset } from './group-metadata.ts';
import { transactionVerdict, type TransactionApi } from './verdicts.ts';

// What CONCURRENT_TRANSACTIONS asks for: the markers of the transaction before are on their way, which takes milliseconds.
const MIN_BACKOFF_MS = 20;
/** The last versions of a client that does not speak transactions v2. */
const LAST_V1 = { addPartitions: 3, txnOffsetCommit: 4, endTxn: 4 } as const;
const TRANSACTION_VERSION = 'transaction.version';

/** A topic's partitions, by name. */
export type PartitionNames = ReadonlyMap<string, readonly number[]>;

/** Who sends them. */
export interface TransactionHost {
  readonly cluster: Cluster;
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  readonly stop: AbortSignal;
}

/** Asks the coordinators on behalf of one transactional id. */
export class CoordinatorRequests {
  /** A request was sent and not answered: it may still be carried out, behind later ones. */
  isDoubtful = false;
  private readonly host: TransactionHost;

  constructor(host: TransactionHost) {
    this.host = host;
  }

  /** 2 where the cluster has finalised it, else 1. */
  async transactionVersion(): Promise<1 | 2> {
    const { cluster, transactionalId } = this.host;
    return this.retried('InitProducerId', async (timeoutMs) => {
      const nodeId = await cluster.coordinator('transaction', transactionalId);
      const answer = await this.send('transaction', transactionalId, nodeId, apiVersionsApi, FEATURES_ASKED, {
        timeoutMs,
      });
      const level =
        answer.finalizedFeatures.find(({ name }) => name === TRANSACTION_VERSION)?.maxVersionLevel ?? 0;
      return level >= 2 ? 2 : 1;
    });
  }

  /** With `current`, bumps its epoch, which shuts out what was sent under it; refused when somebody else has bumped it. Without, takes the id. */
  initProducerId(current: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    const { transactionalId, transactionTimeoutMs } = this.host;
    return this.toCoordinator('InitProducerId', 'transaction', transactionalId, initProducerIdApi, {
      transactionalId,
      transactionTimeoutMs,
      ...(current === undefined ? {} : current),
    }).then(({ producerId, producerEpoch }) => ({ producerId, producerEpoch }));
  }

  async addPartitions(partitions: PartitionNames, identity: ProducerIdentity): Promise<void> {
    const { transactionalId } = this.host;
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: [...partitions].map(([name, indexes]) => ({ name, partitions: indexes })),
      transactions: [],
    };
    await this.retried('AddPartitionsToTxn', async (timeoutMs) => {
      const answer = await this.coordinated('transaction', transactionalId, addPartitionsToTxnApi, request, {
        timeoutMs,
        maxVersion: LAST_V1.addPartitions,
      });
      const codes = answer.resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
        resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
          code: partitionErrorCode,
          topic: name,
          partition: partitionIndex,
        })),
      );
      this.judge('AddPartitionsToTxn', 'transaction', transactionalId, codes);
    });
  }

  async addOffsets(groupId: string, identity: ProducerIdentity): Promise<void> {
    const { transactionalId } = this.host;
    await this.toCoordinator('AddOffsetsToTxn', 'transaction', transactionalId, addOffsetsToTxnApi, {
      transactionalId,
      ...identity,
      groupId,
    });
  }

  async commitOffsets(
    offsets: readonly TransactionOffset[],
    group: GroupMetadata,
    identity: ProducerIdentity,
    version: 1 | 2,
  ): Promise<void> {
    const { groupId, memberId = '', generationId = -1, groupInstanceId = null } = group;
    let left = offsets;
    await this.retried('TxnOffsetCommit', async (timeoutMs) => {
      const answer = await this.coordinated(
        'group',
        groupId,
        txnOffsetCommitApi,
        {
          transactionalId: this.host.transactionalId,
          groupId,
          ...identity,
          generationId,
          memberId,
          groupInstanceId,
          topics: byTopic(left),
        },
        { timeoutMs, ...(version === 1 ? { maxVersion: LAST_V1.txnOffsetCommit } : {}) },
      );
      const codes = answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({
          code: errorCode,
          topic: name,
          partition: partitionIndex,
        })),
      );
      const refused = new Set(
        codes.filter(({ code }) => code !== 0).map(({ topic, partition }) => `${topic}-${partition}`),
      );
      left = left.filter(({ topic, partition }) => refused.has(`${topic}-${partition}`));
      this.judge('TxnOffsetCommit', 'group', groupId, codes);
    });
  }

  /** Resolves with the identity of the next transaction; undefined when it stays as it is. */
  async end(
    committed: boolean,
    identity: ProducerIdentity,
    version: 1 | 2,
  ): Promise<ProducerIdentity | undefined> {
    const { transactionalId } = this.host;
    const { producerId, producerEpoch } = await this.toCoordinator(
      'EndTxn',
      'transaction',
      transactionalId,
      endTxnApi,
      { transactionalId, ...identity, committed },
      version === 1 ? LAST_V1.endTxn : undefined,
    );
    return producerId < 0 ? undefined : { producerId, producerEpoch };
  }

  private toCoordinator<A extends AnyApi>(
    name: TransactionApi,
    kind: CoordinatorKind,
    key: string,
    api: A,
    request: RequestOf<A>,
    maxVersion?: number,
  ): Promise<ResponseOf<A>> {
    return this.retried(name, async (timeoutMs) => {
      const answer = await this.coordinated(kind, key, api, request, { timeoutMs, maxVersion });
      this.judge(name, kind, key, [{ code: (answer as { errorCode: number }).errorCode }]);
      return answer;
    });
  }

  private retried<T>(name: TransactionApi, attempt: (timeoutMs: number) => Promise<T>): Promise<T> {
    const { cluster, transactionalId, stop } = this.host;
    const { deadlineMs, maxDelayMs } = cluster.retry;
    const backoff = { minDelayMs: Math.min(MIN_BACKOFF_MS, maxDelayMs), maxDelayMs };
    const what = `${name} of transactional id '${transactionalId}'`;
    return withRetry(cluster, what, { deadlineMs, backoff, signal: stop }, (_, remainingMs) =>
      attempt(Math.min(remainingMs, cluster.requestTimeoutMs)),
    );
  }

  private async coordinated<A extends AnyApi>(
    kind: CoordinatorKind,
    key: string,
    api: A,
    request: RequestOf<A>,
    options: SendOptions,
  ): Promise<ResponseOf<A>> {
    const nodeId = await this.host.cluster.coordinator(kind, key);
    return this.send(kind, key, nodeId, api, request, options);
  }

  private async send<A extends AnyApi>(
    kind: CoordinatorKind,
    key: string,
    nodeId: number,
    api: A,
    request: RequestOf<A>,
    options: SendOptions,
  ): Promise<ResponseOf<A>> {
    const { cluster, stop } = this.host;
    try {
      return await cluster.send(nodeId, api, request, { use: 'coordinator', signal: stop, ...options });
    } catch (error) {
      if (maybeSent(error)) this.isDoubtful = true;
      if (error instanceof KafkaError && error.retriable) cluster.forgetCoordinator(kind, key);
      throw error;
    }
  }

  /** Throws the worst of these codes: what no retry helps comes before what one does. */
  private judge(api: TransactionApi, kind: CoordinatorKind, key: string, codes: readonly Code[]): void {
    let worst: BrokerError | undefined;
    for (const { code, topic, partition } of codes) {
      if (code === 0) continue;
      const found = brokerError(code, { api, topic, partition });
      const verdict = transactionVerdict(api, found.errorName);
      if (verdict === 'elsewhere') this.host.cluster.forgetCoordinator(kind, key);
      const retriable = verdict === 'again' || verdict === 'elsewhere';
      if (worst !== undefined && (retriable || !worst.retriable)) continue;
      worst = new BrokerError(found.errorName, found.message, { retriable, api, topic, partition });
    }
    if (worst !== undefined) throw worst;
  }
}

interface Code {
  readonly code: number;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
}

const FEATURES_ASKED = { clientSoftwareName: 'sluice', clientSoftwareVersion: '0.1.0' };

function maybeSent(error: unknown): boolean {
  if (error instanceof TimeoutError) return error.sent;
  return error instanceof ConnectionError && error.phase === 'io';
}

function byTopic(offsets: readonly TransactionOffset[]): {
  name: string;
  partitions: {
    partitionIndex: number;
    committedOffset: number;
    committedLeaderEpoch: number;
    committedMetadata: string;
  }[];
}[] {
  const topics = new Map<string, TransactionOffset[]>();
  for (const offset of offsets) {
    const some = topics.get(offset.topic);
    if (some === undefined) topics.set(offset.topic, [offset]);
    else some.push(offset);
  }
  return [...topics].map(([name, some]) => ({
    name,
    partitions: some.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }));
}
