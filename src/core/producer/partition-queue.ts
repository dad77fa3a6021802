// Everything one partition has to send, in order, and what becomes of it. No I/O: the sender asks `select` what may be sent now, says `begin`
// when it sends it, and reports each answer.
//
// Outline of a failure:
//   1. A batch that was sent keeps its bytes (producer id, epoch, sequence included) and is sent again until it is answered or its deadline passes.
//   2. After any answer but success the partition recovers: it waits for the answers that are out, then sends one batch at a time, the oldest
//      first, until one is acknowledged.
//   3. A batch that fails leaves a gap in the sequence. Nothing new is sent until every batch behind it is resolved; those that cannot be in the
//      log get new numbers, and only then does the partition go on under the next epoch.
//   4. When it is unknown whether the failed batch is in the log, a batch behind it that the log refuses for its sequence fails too: a copy of
//      both may still be on its way, so sending it under the new epoch could double it.

import { KafkaError, OutcomeUnknownError, TimeoutError, UsageError } from '../../errors.ts';
import type { Timer } from '../clock.ts';
import { backoffMs } from '../cluster/retry.ts';
import { BatchBuilder } from '../records/batch-builder.ts';
import { stampProducer } from '../records/batch-header.ts';
import { Batch } from './batch.ts';
import { ByteGauge } from './buffer-budget.ts';
import type { ProducerContext } from './context.ts';
import { deliver } from './deliver.ts';
import { dropWithdrawn, splitBatch } from './reencode.ts';
import { Sequence } from './sequence.ts';
import type { TopicState } from './topic-state.ts';

// A log that has not heard of a producer for long may have forgotten it, and then takes any sequence number first: only one batch is sent ahead then.
const PROVEN_FOR_MS = 60_000;
const START_BYTES = 4096;

/** The open batch, the closed ones and those in flight of one partition. */
export class PartitionQueue {
  readonly topic: TopicState;
  readonly index: number;
  readonly sequence = new Sequence();
  readonly gauge: ByteGauge;
  /** Takes records. */
  open: Batch | undefined;
  /** Full or flushed, never sent, oldest first. */
  readonly closed: Batch[] = [];
  /** In sequence order; holds what was sent and has no result yet, or a result that waits for the batches before it. */
  readonly inFlight: Batch[] = [];
  /** Requests out with a batch of this partition, those of given-up batches included. */
  outstanding = 0;
  /** Nothing is sent before. */
  retryAt = 0;
  /** Since when metadata says that there is no such partition; -1 while there is. */
  missingSince = -1;
  /** The sender's: in one of its lists. */
  listed = false;
  /** The sender's: wakes the partition when time alone allows it to send. */
  wake: Timer | undefined;
  private readonly context: ProducerContext;
  private startBytes = START_BYTES;
  private failures = 0;
  private recovering = false;
  private proven = false;
  private lastAckAt = 0;
  private gap = false;
  private gapUnclear = false;
  private renumber = false;
  private lastError: KafkaError | undefined;

  constructor(topic: TopicState, index: number, context: ProducerContext) {
    this.topic = topic;
    this.index = index;
    this.context = context;
    this.gauge = new ByteGauge(context.settings.partitionBufferBytes);
  }

  get name(): string {
    return `${this.topic.name}-${this.index}`;
  }

  get isEmpty(): boolean {
    return this.open === undefined && this.closed.length === 0 && this.inFlight.length === 0;
  }

  /** A new open batch; the one before, if any, is closed. */
  openBatch(now: number): Batch {
    this.close();
    const { settings } = this.context;
    const builder = new BatchBuilder(this.topic.batchBytes, this.startBytes);
    const batch = new Batch(builder, now, now + settings.deliveryTimeoutMs);
    this.open = batch;
    return batch;
  }

  /** Closes the open batch: it is sent as soon as its turn comes. */
  close(): void {
    const batch = this.open;
    if (batch === undefined) return;
    this.open = undefined;
    this.closed.push(batch);
    // As much memory as this one took, so that a busy partition's builder does not have to grow.
    while (this.startBytes < batch.bytes) this.startBytes *= 2;
    while (this.startBytes > START_BYTES && this.startBytes / 4 > batch.bytes) this.startBytes /= 2;
  }

  /** Takes back the open batch, which holds nothing that is counted. */
  discardOpen(): void {
    this.open = undefined;
  }

  /** Counts bytes of records that were taken. */
  charge(bytes: number): void {
    this.context.buffer.take(bytes);
    if (this.gauge.take(bytes)) this.topic.fullPartitions += 1;
  }

  /** When the oldest batch must have its result; Infinity when there is none. */
  get deadlineAt(): number {
    const oldest = this.inFlight[0] ?? this.closed[0] ?? this.open;
    return oldest === undefined ? Infinity : oldest.deadlineAt;
  }

  /** The batch to send now; undefined when there is none, or when an answer, time or a producer id must come first. */
  select(now: number): Batch | undefined {
    if (now < this.retryAt) return undefined;
    if (this.recovering && this.outstanding > 0) return undefined;
    if (this.gap && !this.closeGap()) return this.inFlight.find(mustBeAnswered);
    if (!this.sequence.assigned) return undefined;
    if (this.renumber) this.stampAnew();
    return this.inFlight.find(isWaiting) ?? this.selectFresh(now);
  }

  /** Whether `select` waits for a producer id. */
  get needsIdentity(): boolean {
    return !this.sequence.assigned;
  }

  /** When `select` may have an answer by time alone; Infinity when only an event can change it. */
  wakeAt(now: number): number {
    if (now < this.retryAt) return this.isEmpty ? Infinity : this.retryAt;
    if (this.open === undefined || this.closed.length > 0) return Infinity;
    const dueAt = this.open.createdAt + this.context.settings.lingerMs;
    return dueAt > now ? dueAt : Infinity;
  }

  /** Makes a selected batch ready to go out; false when nothing of it is left to send. */
  begin(batch: Batch): boolean {
    if (batch.state === 'filling') {
      if (batch === this.open) this.close();
      this.closed.shift();
      if (!this.seal(batch)) return false;
      this.inFlight.push(batch);
    } else {
      this.context.counters.retries += 1;
    }
    batch.state = 'sent';
    batch.sends += 1;
    this.outstanding += 1;
    return true;
  }

  /** `offset` -1 when the broker does not say; `appendTime` -1 when records keep their own. */
  acked(batch: Batch, offset: number, appendTime: number): void {
    this.outstanding -= 1;
    if (batch.state !== 'sent') return;
    batch.state = 'acked';
    batch.offset = offset;
    batch.appendTime = appendTime;
    this.proven = true;
    this.lastAckAt = this.context.clock.now();
    this.failures = 0;
    // The log took it, so what was before it is in the log too.
    this.gapUnclear = false;
    if (!this.gap) this.recovering = false;
    this.complete();
  }

  /** To be sent again with the same bytes. `unclear`: it may be in the log. `pause`: not before a backoff. */
  again(batch: Batch, error: KafkaError, unclear: boolean, pause: boolean): void {
    this.outstanding -= 1;
    this.lastError = error;
    this.recovering = true;
    if (batch.state !== 'sent') return;
    batch.state = 'waiting';
    if (unclear) batch.maybeAppended = true;
    if (pause && batch === this.inFlight[0]) this.backOff();
  }

  /** Refused for its sequence number; or, `fenced`, for its producer id or epoch. */
  outOfSequence(batch: Batch, error: KafkaError, fenced: boolean): void {
    const wasSent = batch.state === 'sent';
    this.again(batch, error, false, false);
    // Behind a batch that is still to be resolved this was to be expected.
    if (!wasSent || batch !== this.inFlight[0]) return;
    if (this.gapUnclear || batch.maybeAppended) {
      this.fail(batch, this.unknown(batch, error));
    } else {
      if (!this.gap) this.backOff();
      this.gap = true;
    }
    if (fenced) this.sequence.retire();
  }

  /** Refused for its size: goes on as smaller batches, or fails when it has one record. */
  tooLarge(batch: Batch, error: KafkaError): void {
    this.again(batch, error, false, false);
    if (batch.state !== 'waiting') return;
    if (batch.count === 1) {
      this.fail(batch, error);
      return;
    }
    const half = Math.ceil(batch.bytes / 2);
    this.topic.learnBatchBytes(half);
    const { settings, counters } = this.context;
    const parts = splitBatch(
      batch,
      { topic: this.topic.name, partition: this.index },
      half,
      settings.compression,
      this.sequence,
    );
    counters.splits += 1;
    this.charge(parts.reduce((sum, part) => sum + part.bytes, 0));
    this.release(batch.bytes);
    for (const waiter of batch.waiters ?? []) waiter.left += parts.length - 1;
    for (const part of parts) part.waiters = batch.waiters;
    this.inFlight.splice(this.inFlight.indexOf(batch), 1, ...parts);
    batch.state = 'done';
  }

  /** Refused for good; `unclear`: it may be in the log all the same. */
  refused(batch: Batch, error: KafkaError, unclear: boolean): void {
    this.again(batch, error, unclear, false);
    if (batch.state !== 'waiting') return;
    this.fail(batch, batch.maybeAppended ? this.unknown(batch, error) : error);
  }

  /** Fails what has reached its deadline. */
  expire(now: number): void {
    if (this.deadlineAt > now) return;
    const afterMs = this.context.settings.deliveryTimeoutMs;
    this.failWhere(
      (batch) => batch.deadlineAt <= now,
      (batch) => {
        if (batch.maybeAppended) return this.unknown(batch, this.lastError);
        const why = this.lastError === undefined ? '' : `; the last error was: ${this.lastError.message}`;
        const message = `${this.name}: ${batch.count} records were not sent within ${afterMs} ms${why}`;
        return new TimeoutError(message, { afterMs, sent: false, api: 'Produce', cause: this.lastError });
      },
    );
  }

  /** Fails everything: with `error`, or with unknown outcome what may be in the log. */
  failAll(error: KafkaError): void {
    this.failWhere(
      () => true,
      (batch) => (batch.maybeAppended ? this.unknown(batch, error) : error),
    );
  }

  private failWhere(chosen: (batch: Batch) => boolean, why: (batch: Batch) => KafkaError): void {
    for (const batch of [...this.inFlight]) {
      if (batch.state === 'acked' || batch.state === 'failed' || !chosen(batch)) continue;
      if (batch.state === 'sent') batch.maybeAppended = true;
      this.fail(batch, why(batch));
    }
    while (this.closed.length > 0 && chosen(this.closed[0]!)) this.drop(this.closed.shift()!, why);
    const { open } = this;
    if (open === undefined || this.closed.length > 0 || !chosen(open)) return;
    this.open = undefined;
    this.drop(open, why);
  }

  /** Fails a batch that was never sent. */
  private drop(batch: Batch, why: (batch: Batch) => KafkaError): void {
    batch.error = why(batch);
    this.finish(batch);
  }

  private fail(batch: Batch, error: KafkaError): void {
    batch.state = 'failed';
    batch.error = error;
    this.gap = true;
    this.recovering = true;
    if (batch.maybeAppended || error instanceof OutcomeUnknownError) this.gapUnclear = true;
    this.complete();
  }

  /** Hands over the results that have none before them left to wait for. */
  private complete(): void {
    for (;;) {
      const head = this.inFlight[0];
      if (head === undefined || (head.state !== 'acked' && head.state !== 'failed')) return;
      this.inFlight.shift();
      this.finish(head);
    }
  }

  private finish(batch: Batch): void {
    this.release(batch.bytes);
    deliver(batch, this.index, this.context);
  }

  private release(bytes: number): void {
    const { buffer, ready } = this.context;
    if (buffer.give(bytes)) ready.mark();
    if (!this.gauge.give(bytes)) return;
    this.topic.fullPartitions -= 1;
    ready.mark();
  }

  private selectFresh(now: number): Batch | undefined {
    const fresh = this.proven && now - this.lastAckAt < PROVEN_FOR_MS;
    if (this.inFlight.length >= (fresh ? this.context.settings.maxInFlight : 1)) return undefined;
    const next = this.closed[0];
    if (next !== undefined) return next;
    const { open } = this;
    if (open === undefined) return undefined;
    const { lingerMs } = this.context.settings;
    const due = lingerMs === 0 ? this.inFlight.length === 0 : now >= open.createdAt + lingerMs;
    return due ? open : undefined;
  }

  private seal(batch: Batch): boolean {
    const before = batch.bytes;
    try {
      this.context.counters.recordsWithdrawn += dropWithdrawn(batch, {
        topic: this.topic.name,
        partition: this.index,
      });
      if (batch.count > 0) {
        const { producerId, producerEpoch, next: baseSequence } = this.sequence;
        const { compression: codec } = this.context.settings;
        batch.sealed = batch.builder!.seal({ codec, producerId, producerEpoch, baseSequence });
        batch.baseSequence = this.sequence.take(batch.count);
        this.release(before - batch.bytes);
        return true;
      }
    } catch (error) {
      batch.error = error instanceof KafkaError ? error : unexpected(this.name, error);
    }
    batch.bytes = before;
    this.finish(batch);
    return false;
  }

  /** Goes on under the next epoch once nothing is left that may be in the log; false while there is. */
  private closeGap(): boolean {
    if (this.inFlight.some(mustBeAnswered) || this.outstanding > 0) return false;
    if (this.sequence.assigned) this.sequence.bump();
    this.context.counters.epochBumps += 1;
    this.gap = false;
    this.gapUnclear = false;
    this.proven = false;
    this.renumber = true;
    return true;
  }

  /** New numbers for batches that cannot be in the log. */
  private stampAnew(): void {
    this.renumber = false;
    for (const batch of this.inFlight) {
      const { producerId, producerEpoch } = this.sequence;
      batch.baseSequence = this.sequence.take(batch.count);
      // A copy: a socket may still hold the old bytes.
      batch.sealed = Buffer.from(batch.sealed!);
      stampProducer(batch.sealed, producerId, producerEpoch, batch.baseSequence);
    }
    this.recovering = this.inFlight.length > 0;
  }

  private backOff(): void {
    const { settings, clock, random } = this.context;
    this.failures += 1;
    this.retryAt =
      clock.now() + backoffMs(this.failures, settings.retryBackoffMs, settings.retryBackoffMaxMs, random);
  }

  private unknown(batch: Batch, cause: KafkaError | undefined): OutcomeUnknownError {
    if (cause instanceof OutcomeUnknownError) return cause;
    const why = cause === undefined ? '' : `; the last error was: ${cause.message}`;
    const message = `${this.name}: ${batch.count} records were sent ${batch.sends} times and may or may not be in the log${why}`;
    return new OutcomeUnknownError(message, { topic: this.topic.name, partition: this.index, cause });
  }
}

function unexpected(where: string, cause: unknown): KafkaError {
  const message = `${where}: a batch could not be encoded: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new UsageError(message, undefined, { cause });
}

function isWaiting(batch: Batch): boolean {
  return batch.state === 'waiting';
}

function mustBeAnswered(batch: Batch): boolean {
  return batch.state === 'waiting' && batch.maybeAppended;
}
