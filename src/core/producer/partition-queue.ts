// Everything one partition has to send, in order, and what becomes of it. No I/O: the sender asks `select` what may be sent now, says `begin` when
// it sends it, and reports each answer.

import { KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import type { Timer } from '../clock.ts';
import { produceEvents } from '../events/channels.ts';
import { codecByName } from '../compression/registry.ts';
import { BATCH_OVERHEAD } from '../records/batch-header.ts';
import { Backlog } from './backlog.ts';
import { Breaker } from './breaker.ts';
import type { Batch } from './batch.ts';
import { ByteGauge } from './buffer-budget.ts';
import type { ProducerContext } from './context.ts';
import { deliver } from './deliver.ts';
import { Flight, type Place } from './flight.ts';
import { tellResult, tellRetried } from './produce-trace.ts';
import { dropWithdrawn, splitBatch } from './reencode.ts';
import type { TopicState } from './topic-state.ts';

const NO_LIMIT = 2 ** 31 - 1;

/** The batches of one partition, from the first record taken to the last result. */
export class PartitionQueue {
  readonly topic: TopicState;
  readonly index: number;
  readonly backlog: Backlog;
  readonly flight: Flight;
  readonly gauge: ByteGauge;
  /** Made when it first waits in vain for a leader. */
  breaker: Breaker | undefined;
  /** Since when metadata says that there is no such partition; -1 while there is. */
  missingSince = -1;
  /** The sender's: in one of its lists. */
  listed = false;
  /** The sender's: wakes the partition when time alone allows it to send. */
  wake: Timer | undefined;
  private readonly context: ProducerContext;
  private readonly place: Place;

  constructor(topic: TopicState, index: number, context: ProducerContext) {
    this.topic = topic;
    this.index = index;
    this.context = context;
    this.backlog = new Backlog(context.memory);
    this.place = { topic: topic.name, partition: index };
    this.flight = new Flight(this.place, context, (batch) => this.finish(batch));
    this.gauge = new ByteGauge(context.settings.partitionBufferBytes);
  }

  get name(): string {
    return `${this.topic.name}-${this.index}`;
  }

  get isEmpty(): boolean {
    return this.backlog.isEmpty && this.flight.batches.length === 0;
  }

  /** Batches that wait or are out, the open one not counted. */
  get queued(): number {
    return this.backlog.closed.length + this.flight.batches.length;
  }

  /** It has no leader, and what waited for one has failed. */
  waitedInVain(now: number): void {
    this.breaker ??= new Breaker();
    this.breaker.failed(now);
  }

  openBatch(now: number): Batch {
    const { deliveryTimeoutMs, batchRecords } = this.context.settings;
    const limit =
      batchRecords >= NO_LIMIT
        ? undefined
        : { records: batchRecords, onFull: () => this.context.onFull(this) };
    return this.backlog.openBatch(this.topic.batchBytes, now, deliveryTimeoutMs, limit);
  }

  /** Counts bytes of records that were taken. */
  charge(bytes: number): void {
    this.context.buffer.take(bytes);
    if (this.gauge.take(bytes)) this.topic.fullPartitions += 1;
  }

  /** When the oldest batch must have its result; Infinity when there is none. */
  get deadlineAt(): number {
    const oldest = this.flight.batches[0] ?? this.backlog.oldest;
    return oldest === undefined ? Infinity : oldest.deadlineAt;
  }

  /** The batch to send now; undefined when there is none, or when an answer, time or a producer id must come first. */
  select(now: number): Batch | undefined {
    const next = this.flight.select(now);
    if (next !== 'fresh') return next;
    const { closed, open } = this.backlog;
    if (closed.length > 0 || open === undefined) return closed[0];
    const { lingerMs } = this.context.settings;
    const due =
      open.isFull || (lingerMs === 0 ? this.flight.batches.length === 0 : now >= open.createdAt + lingerMs);
    return due ? open : undefined;
  }

  /** When `select` may have an answer by time alone; Infinity when only an event can change it. */
  wakeAt(now: number): number {
    const { retryAt } = this.flight;
    if (now < retryAt) return this.isEmpty ? Infinity : retryAt;
    const { open, closed } = this.backlog;
    if (open === undefined || closed.length > 0) return Infinity;
    const dueAt = open.createdAt + this.context.settings.lingerMs;
    return dueAt > now ? dueAt : Infinity;
  }

  /**
   * Compresses the records of a selected batch ahead of its sealing. False when it cannot go out now: another thread is at work on it, and
   * `onPacked` is called then; or it has failed.
   */
  pack(batch: Batch, onPacked: () => void): boolean {
    if (batch.isPacking) return false;
    const { compression, compressionLevel } = this.context.settings;
    try {
      this.dropWithdrawn(batch);
      if (batch.count === 0 || batch.packed !== undefined) return true;
      const packed = codecByName(compression).compressAside(batch.builder!.records, compressionLevel);
      if (Buffer.isBuffer(packed)) {
        batch.packed = packed;
        return true;
      }
      if (this.backlog.open === batch) this.backlog.close();
      batch.isPacking = true;
      const done = (result?: Buffer): void => {
        batch.isPacking = false;
        batch.packed = result;
        onPacked();
      };
      // What failed there is tried once more, and told, by the sealing.
      packed.then(done, () => done()).catch(this.context.report);
    } catch (error) {
      this.backlog.shift();
      batch.error = error instanceof KafkaError ? error : unexpected(this.name, error);
      this.finish(batch);
    }
    return false;
  }

  /** Makes a selected batch ready to go out; false when nothing of it is left to send. */
  begin(batch: Batch): boolean {
    if (batch.state === 'filling') {
      this.backlog.shift();
      if (!this.seal(batch)) return false;
    }
    this.flight.begin(batch);
    if (batch.sends > 1 && produceEvents.hasSubscribers) tellRetried(this, batch, this.context);
    return true;
  }

  /** Refused for its size: goes on as smaller batches, or fails when it has one record. */
  tooLarge(batch: Batch, error: KafkaError): void {
    if (batch.count <= 1) {
      this.flight.refused(batch, error, false);
      return;
    }
    this.flight.again(batch, error, false, false);
    if (batch.state !== 'waiting') return;
    const half = Math.ceil(batch.bytes / 2);
    this.topic.learnBatchBytes(half);
    const { settings, counters } = this.context;
    const parts = splitBatch(batch, this.place, half, settings, this.flight.sequence);
    counters.splits += 1;
    this.charge(parts.reduce((sum, part) => sum + part.bytes, 0));
    this.release(batch.bytes);
    for (const waiter of batch.waiters ?? []) waiter.left += parts.length - 1;
    for (const part of parts) part.waiters = batch.waiters;
    this.flight.replace(batch, parts);
  }

  /** Fails what has reached its deadline. */
  expire(now: number): void {
    if (this.deadlineAt > now) return;
    const afterMs = this.context.settings.deliveryTimeoutMs;
    const cause = this.flight.lastError ?? this.context.trouble;
    const why = this.flight.lastWords(cause);
    this.failWhere(
      (batch) => batch.deadlineAt <= now,
      ({ count }) => {
        const message = `${this.name}: ${count} records were not sent within ${afterMs} ms${why}`;
        return new TimeoutError(message, { afterMs, sent: false, api: 'Produce', cause });
      },
    );
  }

  /** Fails everything: with `error`, or with unknown outcome what may be in the log. */
  failAll(error: KafkaError): void {
    this.failWhere(
      () => true,
      () => error,
    );
  }

  /** Fails everything with `error`, what may be in the log too. */
  abandon(error: KafkaError): void {
    this.flight.abandon(error);
    for (const batch of this.backlog.shiftWhile(() => true)) {
      batch.error = error;
      this.finish(batch);
    }
  }

  private failWhere(chosen: (batch: Batch) => boolean, why: (batch: Batch) => KafkaError): void {
    this.flight.failWhere(chosen, why);
    for (const batch of this.backlog.shiftWhile(chosen)) {
      batch.error = why(batch);
      this.finish(batch);
    }
  }

  private seal(batch: Batch): boolean {
    try {
      this.dropWithdrawn(batch);
      if (batch.count > 0) {
        const { sequence } = this.flight;
        const { producerId, producerEpoch, next: baseSequence } = sequence;
        const transactional = this.context.settings.numbering === 'given';
        const packed = this.packedOf(batch);
        const codec = packed === undefined ? 'none' : this.context.settings.compression;
        batch.sealed = batch.builder!.seal({
          codec,
          packed,
          producerId,
          producerEpoch,
          baseSequence,
          transactional,
        });
        batch.packed = undefined;
        batch.builder = undefined;
        batch.baseSequence = sequence.take(batch.count);
        return true;
      }
    } catch (error) {
      batch.error = error instanceof KafkaError ? error : unexpected(this.name, error);
    }
    this.finish(batch);
    return false;
  }

  /** Takes out what was withdrawn since; what was compressed with it is of no use any more. */
  private dropWithdrawn(batch: Batch): void {
    const before = batch.bytes;
    let dropped: number;
    try {
      dropped = dropWithdrawn(batch, this.place);
    } catch (error) {
      batch.bytes = before;
      throw error;
    }
    if (dropped === 0) return;
    this.context.counters.recordsWithdrawn += dropped;
    batch.packed = undefined;
    if (batch.count === 0) batch.bytes = before;
    else this.release(before - batch.bytes);
  }

  /** The records compressed; undefined without a codec, and where a batch that just fits would be too large compressed. */
  private packedOf(batch: Batch): Buffer | undefined {
    const { compression, compressionLevel, maxRecordBytes } = this.context.settings;
    if (compression === 'none') return undefined;
    const { records } = batch.builder!;
    const packed = batch.packed ?? codecByName(compression).compress(records, compressionLevel);
    const isTooLarge = packed.length > records.length && packed.length + BATCH_OVERHEAD > maxRecordBytes;
    return isTooLarge ? undefined : packed;
  }

  private finish(batch: Batch): void {
    this.release(batch.bytes);
    if (batch.error !== undefined) this.context.onBatchFailed?.(batch.error);
    const isFree = batch.state === 'acked' && batch.sends === 1;
    if (isFree && batch.memory !== undefined) this.context.memory.give(batch.memory);
    batch.memory = undefined;
    if (produceEvents.hasSubscribers && batch.count > 0) tellResult(this, batch, batch.error, this.context);
    deliver(batch, this.index, this.context);
  }

  private release(bytes: number): void {
    const { buffer, ready } = this.context;
    if (buffer.give(bytes)) ready.mark();
    if (!this.gauge.give(bytes)) return;
    this.topic.fullPartitions -= 1;
    ready.mark();
  }
}

function unexpected(where: string, cause: unknown): KafkaError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new UsageError(`${where}: a batch could not be encoded: ${what}`, undefined, { cause });
}
