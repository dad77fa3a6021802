// The fetched and not yet handed over data of one partition, as a row of records.

import { CompressionError, KafkaError } from '../../errors.ts';
import { codecById, prepareCodec } from '../compression/registry.ts';
import { BatchCursor } from '../records/batch-cursor.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import { parseBatches, type RecordBatch } from '../records/record-batch.ts';
import { BatchHold } from './batch-hold.ts';
import type { BudgetShare, ByteBudget } from './byte-budget.ts';
import type { FetchedData } from './fetched-data.ts';

/** Something in the row that is not data: the position jumps, or the row ends in an error. */
interface Turn {
  readonly jumpTo?: number;
  readonly error?: KafkaError;
}

/** What a source needs. */
export interface SourceContext {
  readonly topic: string;
  readonly partition: number;
  readonly budget: ByteBudget;
  readonly share: BudgetShare;
  readonly maxBatchBytes: number;
  /** Large batches are unpacked by other threads. */
  readonly unpacksAside: boolean;
  /** False while there is no room for so many bytes more than are counted already. */
  readonly admits: (bytes: number) => boolean;
  /** Called when `next()` can go on after it returned undefined for a codec that was being loaded, or a batch that was being unpacked. */
  readonly onReady: () => void;
  /** The records that follow do not continue at the offset they were fetched for. */
  readonly onJump: (offset: number) => void;
}

/** What a batch is taken to unpack to, in its own bytes, until one was unpacked. */
const TYPICAL_RATIO = 4;

/** Reads batches in order, passing over control and aborted ones, and charges what it keeps to the share. */
export class RecordSource {
  /** Wire bytes that wait here. */
  bufferedBytes = 0;
  /** Every offset before this one was returned or is never returned. */
  passedOffset: number;
  /** Leader epoch of the batch that ends there. */
  passedLeaderEpoch = -1;
  /** Why there is nothing more after `next()` returned undefined; the source stays so until `clear()`. */
  failure: KafkaError | undefined;
  /** `next()` returned undefined for want of memory to unpack the next batch. */
  waitsForRoom = false;
  /** The batch of the record that was returned last. */
  hold: BatchHold | undefined;
  /** Holds of batches that may still be in use, oldest first. */
  private kept: BatchHold[] = [];
  private row: (FetchedData | Turn)[] = [];
  private data: FetchedData | undefined;
  private batches: Generator<RecordBatch, void, undefined> | undefined;
  private batch: RecordBatch | undefined;
  private cursor: BatchCursor | undefined;
  /** The batch that waits for room, or to be unpacked: it was found to be visible. */
  private shown: RecordBatch | undefined;
  /** The batch behind the current one, of the same answer, where it is unpacked by another thread meanwhile. */
  private ahead: RecordBatch | undefined;
  private unpackingAhead: Promise<void> | undefined;
  /** What reading ahead met: it is told in its turn. */
  private aheadFailure: unknown;
  private returned: FetchedRecord | undefined;
  private loading = false;
  /** What the last packed batch unpacked to, in its own bytes. */
  private ratio = TYPICAL_RATIO;
  private generation = 0;
  private readonly context: SourceContext;

  constructor(context: SourceContext, startOffset: number) {
    this.context = context;
    this.passedOffset = startOffset;
  }

  get isEmpty(): boolean {
    return this.cursor === undefined && this.data === undefined && this.row.length === 0;
  }

  /** The bytes must have been taken from the share. */
  push(data: FetchedData): void {
    this.row.push(data);
    this.count(data.records.length);
  }

  /** Ends the row: after what is buffered, this error. */
  fail(error: KafkaError): void {
    this.row.push({ error });
  }

  /** What is pushed from now on starts at `offset`. */
  jump(offset: number): void {
    this.row.push({ jumpTo: offset });
  }

  /** The next record; undefined when there is none now, with `failure` set when there is none ever. */
  next(): FetchedRecord | undefined {
    const { returned } = this;
    if (returned !== undefined) {
      this.returned = undefined;
      return returned;
    }
    try {
      for (;;) {
        const { cursor } = this;
        if (cursor !== undefined) {
          const record = cursor.next();
          if (record !== undefined) return record;
          this.endBatch();
        }
        if (this.failure !== undefined || this.loading || !this.nextBatch()) return undefined;
      }
    } catch (error) {
      this.failure = this.asKafkaError(error);
      this.dropData();
      return undefined;
    }
  }

  /** Takes the record that `next()` returned last back: it will be the next one again. */
  giveBack(record: FetchedRecord): void {
    this.returned = record;
  }

  /** Drops all that was not returned; continues at `offset`. */
  clear(offset: number): void {
    this.dropData();
    this.failure = undefined;
    this.passedOffset = offset;
  }

  /** Batches of which little is in use; forgets those that are not in use at all. */
  sparseHolds(): BatchHold[] {
    this.kept = this.kept.filter((hold) => !hold.freed);
    return this.kept.filter((hold) => hold.sparse);
  }

  private dropData(): void {
    this.generation += 1;
    this.loading = false;
    this.waitsForRoom = false;
    this.shown = undefined;
    this.returned = undefined;
    this.ahead = undefined;
    this.unpackingAhead = undefined;
    this.aheadFailure = undefined;
    this.hold?.close();
    this.hold = undefined;
    this.batch = undefined;
    this.cursor = undefined;
    this.batches = undefined;
    let bytes = 0;
    for (const item of this.data === undefined ? this.row : [this.data, ...this.row]) {
      if (!('records' in item)) continue;
      bytes += item.bytesLeft;
      item.pin?.release();
    }
    this.row = [];
    this.data = undefined;
    this.count(-this.bufferedBytes);
    this.context.share.release(bytes);
  }

  private endBatch(): void {
    const { batch } = this;
    this.cursor = undefined;
    this.batch = undefined;
    const hold = this.hold;
    this.hold = undefined;
    if (batch !== undefined) this.pass(batch);
    hold?.close();
  }

  private pass({ lastOffset, leaderEpoch }: RecordBatch): void {
    if (lastOffset < this.passedOffset) return;
    this.passedOffset = lastOffset + 1;
    this.passedLeaderEpoch = leaderEpoch;
  }

  /** Makes a cursor over the next batch that has something to return; false when there is none now. */
  private nextBatch(): boolean {
    while (this.cursor === undefined) {
      const batch = this.batch ?? this.takeBatch();
      if (batch === undefined) return false;
      this.batch = batch;
      const waiting = prepareCodec(batch.codecId);
      if (waiting !== undefined) {
        this.wait(waiting);
        return false;
      }
      if (this.isHidden(batch)) {
        this.unpackingAhead = undefined;
        this.unbuffer(batch.wireBytes);
        this.endBatch();
        this.context.share.release(batch.wireBytes);
      } else if (this.hasRoomFor(batch)) {
        const unpacking = batch.isOpen ? undefined : this.unpack(batch);
        if (unpacking !== undefined) {
          this.shown = batch;
          this.wait(unpacking);
          return false;
        }
        this.open(batch);
      } else return false;
    }
    return true;
  }

  /** Unpacked batches are what can grow far beyond what was fetched. */
  private hasRoomFor(batch: RecordBatch): boolean {
    this.waitsForRoom = !batch.isOpen && !this.context.admits(batch.wireBytes * (this.ratio - 1));
    this.shown = this.waitsForRoom ? batch : undefined;
    return !this.waitsForRoom;
  }

  private isHidden(batch: RecordBatch): boolean {
    if (batch === this.shown) return false;
    const aborted = this.data?.aborted;
    const hidden = aborted !== undefined && aborted.hides(batch);
    return hidden || batch.isControl || batch.count === 0 || batch.lastOffset < this.passedOffset;
  }

  /** Undefined when it is unpacked now. */
  private unpack(batch: RecordBatch): Promise<void> | undefined {
    const { unpackingAhead } = this;
    this.unpackingAhead = undefined;
    if (unpackingAhead !== undefined) return unpackingAhead;
    const { maxBatchBytes, unpacksAside } = this.context;
    if (unpacksAside) return batch.openAside(maxBatchBytes);
    batch.open(maxBatchBytes);
    return undefined;
  }

  /** Has another thread unpack the batch behind `current` while the records of that one are handed over, if there is room for it. */
  private unpackAhead(current: RecordBatch): void {
    const { unpacksAside, share, maxBatchBytes } = this.context;
    this.unpackingAhead = undefined;
    if (!unpacksAside || this.ahead !== undefined || !codecById(current.codecId).isThreaded) return;
    try {
      const step = this.batches!.next();
      if (step.done === true) return;
      const batch = step.value;
      this.ahead = batch;
      const isWanted = batch.codecId === current.codecId && !batch.isControl && batch.count > 0;
      if (!isWanted || !share.admits(batch.wireBytes * this.ratio)) return;
      this.unpackingAhead = batch.openAside(maxBatchBytes);
      // It is told in its turn.
      this.unpackingAhead?.catch(() => undefined);
    } catch (error) {
      // A batch that cannot be unpacked says so again in its turn; one that cannot be read is not met again.
      if (this.ahead === undefined) this.aheadFailure = error;
    }
  }

  private open(batch: RecordBatch): void {
    const { topic, partition, share } = this.context;
    const fromOffset = this.passedOffset;
    this.cursor = new BatchCursor(batch, topic, partition, fromOffset);
    this.unbuffer(batch.wireBytes);
    const hold = new BatchHold(share, batch.bytes, batch.codecId === 0 ? this.data!.pin : undefined);
    this.hold = hold;
    this.keep(hold);
    if (batch.codecId === 0) return;
    this.ratio = Math.max(1, batch.bytes / batch.wireBytes);
    share.take(batch.bytes);
    share.release(batch.wireBytes);
    this.unpackAhead(batch);
  }

  /** From here on the bytes are not the data's any more. */
  private unbuffer(bytes: number): void {
    this.data!.bytesLeft -= bytes;
    this.count(-bytes);
  }

  private count(bytes: number): void {
    this.bufferedBytes += bytes;
    this.context.budget.bufferedBytes += bytes;
  }

  private keep(hold: BatchHold): void {
    const { kept } = this;
    kept.push(hold);
    if (kept.length >= 64 && (kept.length & (kept.length - 1)) === 0)
      this.kept = kept.filter((one) => !one.freed);
  }

  private takeBatch(): RecordBatch | undefined {
    const { ahead, aheadFailure } = this;
    this.ahead = undefined;
    if (ahead !== undefined) return ahead;
    if (aheadFailure !== undefined) throw aheadFailure;
    for (;;) {
      if (this.batches !== undefined) {
        const step = this.batches.next();
        if (step.done !== true) return step.value;
        this.endData();
      }
      const item = this.row.shift();
      if (item === undefined) return undefined;
      if ('records' in item) {
        this.data = item;
        this.batches = parseBatches(item.records, this.context);
      } else this.turn(item);
      if (this.failure !== undefined) return undefined;
    }
  }

  /** What is left of the data is the beginning of a batch that did not fit. */
  private endData(): void {
    const left = this.data!.bytesLeft;
    this.unbuffer(left);
    this.data!.pin?.release();
    this.batches = undefined;
    this.data = undefined;
    this.context.share.release(left);
  }

  private turn(item: Turn): void {
    this.failure = item.error;
    if (item.jumpTo === undefined) return;
    this.passedOffset = item.jumpTo;
    this.context.onJump(item.jumpTo);
  }

  /** Goes on when a codec is loaded, or a batch unpacked. */
  private wait(waiting: Promise<void>): void {
    const { generation } = this;
    this.loading = true;
    const goOn = (error?: unknown): void => {
      if (generation !== this.generation) return;
      this.loading = false;
      if (error !== undefined) {
        this.failure = this.asKafkaError(error);
        this.dropData();
      }
      this.context.onReady();
    };
    waiting.then(() => goOn(), goOn);
  }

  private asKafkaError(error: unknown): KafkaError {
    const { topic, partition } = this.context;
    const at = `Reading ${topic}-${partition} stopped at offset ${this.passedOffset}`;
    if (error instanceof CompressionError)
      return new CompressionError(`${at}: ${error.message}`, error.codec, { cause: error });
    if (error instanceof KafkaError) return error;
    throw error;
  }
}
