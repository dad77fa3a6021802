// Where producer ids come from: InitProducerId, asked of any broker, at first need.

import { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, wasCutShort, withRetry } from '../cluster/retry.ts';
import { initProducerIdApi } from '../protocol/messages/22-init-producer-id.ts';
import type { ProducerContext } from './context.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerIdentity } from './sequence.ts';

// What Java sends for a producer without transactions; brokers do not look at it then.
const NO_TRANSACTION_TIMEOUT_MS = 2 ** 31 - 1;

/** Where the identity of a partition's batches comes from. */
export interface Identities {
  /**
   * The identity under which the partition may send; undefined while it may not, after which `onChange` is called, with an error when it never
   * will.
   */
  get(
    partition: PartitionQueue,
    onChange: (error: KafkaError | undefined) => void,
  ): ProducerIdentity | undefined;
}

/** The producer's identity, asked for when it is first needed and when a partition has given the last one up. */
export class ProducerIds implements Identities {
  private readonly cluster: Cluster;
  private readonly context: ProducerContext;
  private readonly stop: AbortSignal;
  private current: ProducerIdentity | undefined;
  private asking = false;

  constructor(cluster: Cluster, context: ProducerContext, stop: AbortSignal) {
    this.cluster = cluster;
    this.context = context;
    this.stop = stop;
  }

  /** An identity with another producer id than the one that the partition has given up. */
  get(
    partition: PartitionQueue,
    onChange: (error: KafkaError | undefined) => void,
  ): ProducerIdentity | undefined {
    const { retiredId } = partition.flight.sequence;
    if (this.current !== undefined && this.current.producerId !== retiredId) return this.current;
    if (this.asking) return undefined;
    this.asking = true;
    this.ask().then(
      (identity) => {
        this.asking = false;
        this.current = identity;
        this.context.trouble = undefined;
        onChange(undefined);
      },
      (error: unknown) => {
        this.asking = false;
        if (this.stop.aborted) return;
        if (!(error instanceof KafkaError)) this.context.report(error);
        else onChange(error.retriable ? undefined : error);
      },
    );
    return undefined;
  }

  private ask(): Promise<ProducerIdentity> {
    const { deliveryTimeoutMs, requestTimeoutMs, retryBackoffMs, retryBackoffMaxMs } = this.context.settings;
    const backoff = { minDelayMs: retryBackoffMs, maxDelayMs: retryBackoffMaxMs };
    return withRetry(
      this.cluster,
      'InitProducerId',
      { deadlineMs: deliveryTimeoutMs, backoff, signal: this.stop },
      async (_attempt, remainingMs) => {
        try {
          return await this.askOnce(Math.min(requestTimeoutMs, remainingMs));
        } catch (error) {
          if (error instanceof KafkaError && !wasCutShort(error, remainingMs)) this.context.trouble = error;
          else if (error instanceof KafkaError) this.context.trouble ??= error;
          throw error;
        }
      },
    );
  }

  private async askOnce(timeoutMs: number): Promise<ProducerIdentity> {
    const nodeId = await this.cluster.anyNode();
    const answer = await this.cluster.send(
      nodeId,
      initProducerIdApi,
      { transactionalId: null, transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS },
      { timeoutMs, signal: this.stop },
    );
    if (answer.errorCode !== 0) throw brokerError(answer.errorCode, { api: 'InitProducerId' });
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }
}
