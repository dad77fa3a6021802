// Transactions and producers: what is open, who has it, and an end to what hangs.

import type { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { writeTxnMarkersApi } from '../protocol/messages/27-write-txn-markers.ts';
import { describeProducersApi } from '../protocol/messages/61-describe-producers.ts';
import { describeTransactionsApi } from '../protocol/messages/65-describe-transactions.ts';
import { listTransactionsApi } from '../protocol/messages/66-list-transactions.ts';
import { list, nameList } from './checks.ts';
import type { AdminOptions } from './outcomes.ts';
import { settleAll } from './outcomes.ts';
import { answers, byTopic } from './partition-rows.ts';
import type { TopicPartition } from './routing.ts';
import { onCoordinators, onEveryNode, onLeaders } from './routing.ts';

/** A transactional id in a listing. */
export interface TransactionListing {
  readonly transactionalId: string;
  readonly producerId: number;
  /** 'Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', ... */
  readonly state: string;
}

/** Which transactions; what is left out matches every one. */
export interface ListTransactionsOptions extends AdminOptions {
  readonly states?: readonly string[] | undefined;
  readonly producerIds?: readonly number[] | undefined;
  /** Only those that have been running for longer. Kafka 3.8 and later. */
  readonly longerThanMs?: number | undefined;
  /** A regular expression (RE2) that the whole id must match. Kafka 4.1 and later. */
  readonly transactionalIdPattern?: string | undefined;
}

/** The state of a transactional id. */
export interface TransactionDescription {
  readonly transactionalId: string;
  readonly state: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Milliseconds since 1970; undefined while no transaction is open. */
  readonly startedAt: number | undefined;
  /** What the open transaction has written to. */
  readonly partitions: readonly TopicPartition[];
  /** The node id of its coordinator. */
  readonly coordinator: number;
}

/** A producer that a partition remembers. */
export interface ProducerState {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1: none yet. */
  readonly lastSequence: number;
  /** Milliseconds since 1970. */
  readonly lastTimestamp: number;
  /** Of the coordinator that wrote its last marker; -1 before the first. */
  readonly coordinatorEpoch: number;
  /** The first offset of its open transaction there; undefined without one. */
  readonly currentTransactionStartOffset: number | undefined;
}

/** The producers of a partition. */
export interface PartitionProducers extends TopicPartition {
  readonly activeProducers: readonly ProducerState[];
}

/** A transaction that hangs in a partition, as `describeProducers` names it. */
export interface HangingTransaction extends TopicPartition {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
}

const DURATION_FROM = 1;
const PATTERN_FROM = 2;

export async function listTransactions(
  cluster: Cluster,
  options: ListTransactionsOptions,
): Promise<TransactionListing[]> {
  const { states = [], producerIds = [], longerThanMs, transactionalIdPattern } = options;
  const api = listTransactionsApi;
  const found = await onEveryNode(cluster, 'Listing transactions', options, async (nodeId, attempt) => {
    const { timeoutMs, signal } = attempt;
    const response = await cluster.send(
      nodeId,
      api,
      (version) => ({
        stateFilters: states,
        producerIdFilters: producerIds,
        // Sent also where the version has no place for it, so that it is refused and not silently dropped.
        ...((version >= DURATION_FROM || longerThanMs !== undefined) && {
          durationFilter: longerThanMs ?? -1,
        }),
        ...((version >= PATTERN_FROM || transactionalIdPattern !== undefined) && {
          transactionalIdPattern: transactionalIdPattern ?? null,
        }),
      }),
      { timeoutMs, signal },
    );
    if (response.errorCode !== 0) throw brokerError(response.errorCode, { api: api.name });
    return response.transactionStates.map(({ transactionState: state, ...rest }) => ({ ...rest, state }));
  });
  return found.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1));
}

export async function describeTransactions(
  cluster: Cluster,
  transactionalIds: readonly string[],
  options: AdminOptions,
): Promise<TransactionDescription[]> {
  nameList(transactionalIds, 'transactionalIds');
  const api = describeTransactionsApi;
  return onCoordinators<TransactionDescription>(
    cluster,
    `Describing transactions ${transactionalIds.join(', ')}`,
    transactionalIds,
    options,
    async (nodeId, some, { timeoutMs, signal }) => {
      const request = { transactionalIds: some };
      const response = await cluster.send(nodeId, api, request, { timeoutMs, signal });
      const outcomes = new Map<string, TransactionDescription | KafkaError>();
      for (const row of response.transactionStates) {
        const { errorCode, transactionalId, transactionStartTimeMs: startedAt } = row;
        const detail = `transactional id ${transactionalId}`;
        if (errorCode !== 0) outcomes.set(transactionalId, brokerError(errorCode, { api: api.name, detail }));
        else
          outcomes.set(transactionalId, {
            transactionalId,
            state: row.transactionState,
            producerId: row.producerId,
            producerEpoch: row.producerEpoch,
            timeoutMs: row.transactionTimeoutMs,
            startedAt: startedAt < 0 ? undefined : startedAt,
            partitions: row.topics.flatMap(({ topic, partitions }) =>
              partitions.map((partition) => ({ topic, partition })),
            ),
            coordinator: nodeId,
          });
      }
      return outcomes;
    },
    'transaction',
  );
}

export async function describeProducers(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  options: AdminOptions,
): Promise<PartitionProducers[]> {
  list(partitions, 'partitions');
  const api = describeProducersApi;
  return settleAll<TopicPartition, PartitionProducers>(
    cluster,
    'Describing producers',
    partitions,
    options,
    (attempt) =>
      onLeaders(cluster, attempt, async (nodeId, some) => {
        const { timeoutMs, signal } = attempt;
        const topics = [...byTopic(some)].map(([name, items]) => ({
          name,
          partitionIndexes: items.map(({ partition }) => partition),
        }));
        const response = await cluster.send(nodeId, api, { topics }, { timeoutMs, signal });
        return answers(some, response.topics, (row, { topic, partition }) =>
          row.errorCode === 0
            ? { topic, partition, activeProducers: row.activeProducers.map(producerState) }
            : brokerError(row.errorCode, { api: api.name, topic, partition, detail: row.errorMessage }),
        );
      }),
  );
}

function producerState({
  currentTxnStartOffset,
  ...row
}: Omit<ProducerState, 'currentTransactionStartOffset'> & {
  readonly currentTxnStartOffset: number;
}): ProducerState {
  const { producerId, producerEpoch, lastSequence, lastTimestamp, coordinatorEpoch } = row;
  return {
    producerId,
    producerEpoch,
    lastSequence,
    lastTimestamp,
    coordinatorEpoch,
    currentTransactionStartOffset: currentTxnStartOffset < 0 ? undefined : currentTxnStartOffset,
  };
}

/** Writes the marker of an abort past the coordinator, for a transaction that it does not know any more. */
export async function abortTransaction(
  cluster: Cluster,
  transaction: HangingTransaction,
  options: AdminOptions,
): Promise<void> {
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction;
  const api = writeTxnMarkersApi;
  await settleAll<TopicPartition, object>(
    cluster,
    `Aborting the transaction of producer ${producerId} in ${topic}-${partition}`,
    [transaction],
    options,
    (attempt) =>
      onLeaders(cluster, attempt, async (nodeId, some) => {
        const { timeoutMs, signal } = attempt;
        const marker = {
          producerId,
          producerEpoch,
          transactionResult: false,
          topics: [{ name: topic, partitionIndexes: [partition] }],
          // No marker of this producer was ever written there.
          coordinatorEpoch: Math.max(0, coordinatorEpoch),
        };
        const response = await cluster.send(nodeId, api, { markers: [marker] }, { timeoutMs, signal });
        return answers(some, response.markers[0]?.topics ?? [], ({ errorCode }) =>
          errorCode === 0 ? {} : brokerError(errorCode, { api: api.name, topic, partition }),
        );
      }),
  );
}
