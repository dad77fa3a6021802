// What the parts of one producer share.

import type { KafkaError } from '../../errors.ts';
import type { Clock, Random } from '../clock.ts';
import type { BatchMemory } from './batch-memory.ts';
import type { ByteGauge, ReadyListeners } from './buffer-budget.ts';
import type { ProducerCounters } from './counters.ts';
import type { ProducerSettings } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { Spread } from './partitioner.ts';

/** Owned by the Producer and handed to its parts. */
export interface ProducerContext {
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ProducerSettings;
  readonly counters: ProducerCounters;
  readonly spread: Spread;
  readonly buffer: ByteGauge;
  readonly memory: BatchMemory;
  readonly ready: ReadyListeners;
  /** Why the cluster cannot be asked at the moment: the cause given for what times out meanwhile. */
  trouble: KafkaError | undefined;
  /** The partition's open batch has all the records that it may have. */
  readonly onFull: (partition: PartitionQueue) => void;
  /** Told of each batch that failed, before its receipts; of a transaction it is the end. */
  onBatchFailed: ((error: KafkaError) => void) | undefined;
  /** Told of each record that failed before it joined a batch. */
  onRecordRefused: ((error: KafkaError) => void) | undefined;
  /** Above that no request is sent: a newer version would begin a transaction in another way. */
  maxProduceVersion: number;
  /** Takes what a receipt or a listener threw: it must not stop the producer, nor be lost. */
  readonly report: (error: unknown) => void;
}
