// One topic the producer writes to: its partitions, and the records that wait until it is known.

import { BrokerError } from '../../errors.ts';
import type { KafkaError } from '../../errors.ts';
import type { TopicMetadata } from '../cluster/metadata.ts';
import type { Bytes, HeadersInit } from '../records/types.ts';
import { Breaker } from './breaker.ts';
import { ByteGauge } from './buffer-budget.ts';
import type { ProducerContext } from './context.ts';
import { PartitionQueue } from './partition-queue.ts';
import type { Receipt } from './receipt.ts';
import type { Sequence } from './sequence.ts';
import { spreaderFor, type Spreader } from './spread.ts';

/** A record taken before its topic is known. */
export interface PendingRecord {
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly headers: HeadersInit | undefined;
  readonly timestamp: number;
  readonly partition: number | undefined;
  readonly receipt: Receipt;
  readonly tag: number;
  readonly bytes: number;
  readonly takenAt: number;
}

// Fewer bytes than this are not worth a batch of their own.
const LEAST_BATCH_BYTES = 1024;

/** The state of one topic. */
export class TopicState {
  readonly name: string;
  /** Kafka's topic id; empty until known. */
  id = '';
  /** By index; empty until the topic is known. */
  partitions: PartitionQueue[] = [];
  /** Partitions asked for by number that the topic does not have (yet). */
  readonly missing = new Map<number, PartitionQueue>();
  /** How many partitions hold as much as they may. */
  fullPartitions = 0;
  pending: PendingRecord[] = [];
  readonly pendingGauge: ByteGauge;
  /** Since when the cluster answers that there is no such topic; -1 while it does not. */
  missingSince = -1;
  batchBytes: number;
  readonly sticky: Spreader;
  /** Of the topic while it is not known. */
  readonly breaker = new Breaker();
  private readonly context: ProducerContext;
  /** The last numbers of each partition, of a topic that was another one under this name. */
  private readonly former = new Map<number, Sequence>();

  constructor(name: string, context: ProducerContext, hasLeader: (partition: PartitionQueue) => boolean) {
    this.name = name;
    this.context = context;
    this.batchBytes = context.settings.batchBytes;
    this.pendingGauge = new ByteGauge(context.settings.partitionBufferBytes);
    this.sticky = spreaderFor(context.spread, context.random, hasLeader);
  }

  get isKnown(): boolean {
    return this.partitions.length > 0;
  }

  /** Every partition, those that do not exist included. */
  *all(): Iterable<PartitionQueue> {
    yield* this.partitions;
    yield* this.missing.values();
  }

  partition(index: number): PartitionQueue {
    const known = this.partitions[index] ?? this.missing.get(index);
    if (known !== undefined) return known;
    const partition = this.newPartition(index);
    this.missing.set(index, partition);
    return partition;
  }

  /** A broker found a batch too large: later ones are made smaller. */
  learnBatchBytes(bytes: number): void {
    this.batchBytes = Math.max(LEAST_BATCH_BYTES, Math.min(this.batchBytes, bytes));
  }

  /**
   * Takes what metadata says. A topic of the same name with another id is another log: what was taken for the old one fails.
   */
  update(found: TopicMetadata, zeroId: string): void {
    const id = found.id === zeroId ? '' : found.id;
    if (this.id !== '' && id !== '' && id !== this.id) this.failRecreated();
    if (id !== '') this.id = id;
    this.missingSince = -1;
    this.breaker.succeeded();
    const count =
      found.partitions.length === 0 ? 0 : found.partitions[found.partitions.length - 1]!.index + 1;
    for (let index = this.partitions.length; index < count; index += 1) {
      const waiting = this.missing.get(index);
      this.missing.delete(index);
      this.partitions.push(waiting ?? this.newPartition(index));
    }
  }

  /** Fails everything that was taken for it. */
  failAll(error: KafkaError): void {
    for (const partition of this.all()) partition.failAll(error);
    this.failPending(() => true, error);
  }

  /** As `failAll`, with `error` for what may be in the log too. */
  abandon(error: KafkaError): void {
    for (const partition of this.all()) partition.abandon(error);
    this.failPending(() => true, error);
  }

  /** Fails the waiting records that `chosen` names, oldest first. */
  failPending(chosen: (record: PendingRecord) => boolean, error: KafkaError): void {
    const failed = this.pending.filter(chosen);
    if (failed.length === 0) return;
    this.pending = this.pending.filter((record) => !chosen(record));
    this.context.onRecordRefused?.(error);
    for (const record of failed) {
      this.releasePending(record);
      this.context.counters.recordsFailed += 1;
      try {
        record.receipt.onFailed(error, record.tag);
      } catch (thrown) {
        this.context.report(thrown);
      }
    }
  }

  addPending(record: PendingRecord): void {
    this.pending.push(record);
    this.context.buffer.take(record.bytes);
    if (this.pendingGauge.take(record.bytes)) this.fullPartitions += 1;
  }

  /** Gives up the bytes of a record that waits no more. */
  releasePending(record: PendingRecord): void {
    const { buffer, ready } = this.context;
    if (buffer.give(record.bytes)) ready.mark();
    if (!this.pendingGauge.give(record.bytes)) return;
    this.fullPartitions -= 1;
    ready.mark();
  }

  private newPartition(index: number): PartitionQueue {
    const partition = new PartitionQueue(this, index, this.context);
    const former = this.former.get(index);
    if (former !== undefined) partition.flight.sequence.succeed(former);
    return partition;
  }

  private failRecreated(): void {
    const message = `Topic ${this.name} was deleted and created again while records were on their way to it; they were meant for the old one (id ${this.id})`;
    const error = new BrokerError('UNKNOWN_TOPIC_ID', message, {
      retriable: false,
      api: 'Produce',
      topic: this.name,
    });
    const old = [...this.all()];
    for (const { index, flight } of old) this.former.set(index, flight.sequence);
    this.partitions = [];
    this.missing.clear();
    this.sticky.forget();
    for (const partition of old) {
      // Nobody would cancel it any more.
      partition.wake?.cancel();
      partition.failAll(error);
    }
  }
}
