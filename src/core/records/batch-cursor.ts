import { FetchedRecord } from './fetched-record.ts';
import type { RecordBatch } from './record-batch.ts';
import { RecordContext } from './record-context.ts';

// What an ordinary record takes before its key at most: three bytes of length, attributes, ten of timestamp, three of offset, three of key length.
const ORDINARY_HEAD_BYTES = 20;
const MAX_VARLONG_BYTES = 10;
// Attributes, two deltas, two lengths and a header count of one byte each.
const MIN_BODY_BYTES = 6;

/** -1 as a zigzag varint. */
const NULL_LENGTH = 1;

/** The varint at `at`, not undone from zigzag; -1 when it has more than three bytes, or more than it needs. */
function shortVarint(data: Uint8Array, at: number): number {
  const first = data[at]!;
  if (first < 0x80) return first;
  const second = data[at + 1]!;
  if (second < 0x80) return second === 0 ? -1 : (first & 0x7f) | (second << 7);
  const third = data[at + 2]!;
  if (third >= 0x80 || third === 0) return -1;
  return (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
}

function sizeOfShort(varint: number): number {
  return varint < 0x80 ? 1 : varint < 0x4000 ? 2 : 3;
}

/**
 * Walks over the records of one batch, checks each one's structure and hands it out; the record is the one object made for it.
 * Control batches (transaction markers) have no records for a user and end at once.
 */
export class BatchCursor {
  readonly batch: RecordBatch;
  private readonly context: RecordContext;
  private readonly data: Buffer;
  private readonly limit: number;
  private readonly firstDelta: number;
  private readonly lastDelta: number;
  private at = 0;
  private left: number;
  private previousDelta = -1;
  private failure: Error | undefined;

  /**
   * Opens the batch (see {@link RecordBatch.open}: its codec must be ready). Records before `fromOffset` are passed over: a fetch from the
   * middle of a batch answers with the whole batch. `withControl` shows the records of a control batch too.
   */
  constructor(
    batch: RecordBatch,
    topic: string,
    partition: number,
    fromOffset: number = batch.baseOffset,
    withControl = false,
  ) {
    this.batch = batch;
    this.data = batch.open();
    this.limit = this.data.length;
    this.context = new RecordContext(batch, topic, partition, this.data, batch);
    this.firstDelta = fromOffset - batch.baseOffset;
    this.lastDelta = batch.lastOffset - batch.baseOffset;
    this.left = batch.count;
    if (batch.isControl && !withControl) {
      this.left = 0;
      this.at = this.limit;
    }
  }

  /**
   * The next record, undefined after the last.
   * @throws CorruptRecordError at the first record that does not keep to its batch; those handed out before are good.
   */
  next(): FetchedRecord | undefined {
    while (this.left > 0) {
      const start = this.at;
      const ordinary = this.nextOrdinary(start);
      if (ordinary !== undefined) return ordinary;
      const length = this.varint();
      const end = this.at + length;
      if (length < MIN_BODY_BYTES || end > this.limit) throw this.corrupt(`claims a length of ${length}`);
      this.at++;
      this.skipVarlong();
      const offsetDelta = this.varint();
      if (offsetDelta <= this.previousDelta || offsetDelta > this.lastDelta)
        throw this.corrupt(`has the offset delta ${offsetDelta} after ${this.previousDelta}`);
      this.skipBytes(this.varint(), end);
      const valueAt = this.at;
      this.skipBytes(this.varint(), end);
      const headers = this.varint();
      if (headers !== 0) this.skipHeaders(headers, end);
      if (this.at !== end) throw this.corrupt(`does not end where its length says`);
      this.previousDelta = offsetDelta;
      this.left--;
      if (offsetDelta >= this.firstDelta) return new FetchedRecord(this.context, start, offsetDelta, valueAt);
    }
    if (this.at !== this.limit) this.failTrailing();
    return undefined;
  }

  /**
   * The record at `start` if it has no headers and no number of more than three bytes, which most have, and nothing is wrong with it; else
   * undefined with nothing changed, and it is read byte by byte.
   */
  private nextOrdinary(start: number): FetchedRecord | undefined {
    const { data, limit } = this;
    if (start + ORDINARY_HEAD_BYTES > limit) return undefined;
    const length = shortVarint(data, start);
    if (length < 0 || (length & 1) !== 0) return undefined;
    let at = start + sizeOfShort(length);
    const end = at + (length >>> 1);
    if (end > limit) return undefined;
    at++;
    const timestampAt = at;
    while (data[at++]! > 0x7f) if (at - timestampAt >= MAX_VARLONG_BYTES) return undefined;
    const delta = shortVarint(data, at);
    if (delta < 0 || (delta & 1) !== 0) return undefined;
    at += sizeOfShort(delta);
    const offsetDelta = delta >>> 1;
    if (offsetDelta <= this.previousDelta || offsetDelta > this.lastDelta || offsetDelta < this.firstDelta)
      return undefined;
    const keyLength = shortVarint(data, at);
    if (keyLength < 0) return undefined;
    at += sizeOfShort(keyLength);
    if ((keyLength & 1) === 0) at += keyLength >>> 1;
    else if (keyLength !== NULL_LENGTH) return undefined;
    const valueAt = at;
    if (at + 4 > limit) return undefined;
    const valueLength = shortVarint(data, at);
    if (valueLength < 0) return undefined;
    at += sizeOfShort(valueLength);
    if ((valueLength & 1) === 0) at += valueLength >>> 1;
    else if (valueLength !== NULL_LENGTH) return undefined;
    if (at + 1 !== end || data[at] !== 0) return undefined;
    this.at = end;
    this.previousDelta = offsetDelta;
    this.left--;
    return new FetchedRecord(this.context, start, offsetDelta, valueAt);
  }

  private varint(): number {
    const byte = this.at < this.limit ? this.data[this.at]! : 0x80;
    if (byte < 0x80) {
      this.at++;
      return (byte >>> 1) ^ -(byte & 1);
    }
    return this.longVarint();
  }

  private longVarint(): number {
    let zigzag = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.limit) throw this.corrupt('is cut off');
      const byte = this.data[this.at++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    throw this.corrupt('has a number of more than 5 bytes');
  }

  private skipVarlong(): void {
    for (let size = 0; size < 10; size++) {
      if (this.at >= this.limit) throw this.corrupt('is cut off');
      if (this.data[this.at++]! < 0x80) return;
    }
    throw this.corrupt('has a number of more than 10 bytes');
  }

  private skipBytes(length: number, end: number): void {
    if (length <= 0) {
      if (length < -1) throw this.corrupt(`claims a key, value or header of ${length} bytes`);
      return;
    }
    if (length > end - this.at) throw this.corrupt(`claims a key, value or header of ${length} bytes`);
    this.at += length;
  }

  private skipHeaders(count: number, end: number): void {
    if (count < 0 || count > end - this.at) throw this.corrupt(`claims ${count} headers`);
    for (let left = count; left > 0; left--) {
      const nameLength = this.varint();
      if (nameLength < 0) throw this.corrupt('has a header without a name');
      this.skipBytes(nameLength, end);
      this.skipBytes(this.varint(), end);
    }
  }

  private failTrailing(): never {
    throw (
      this.failure ??
      this.batch.corrupt(
        `it claims ${this.batch.count} records, but ${this.limit - this.at} bytes follow them`,
      )
    );
  }

  /** What comes after a bad record cannot be trusted: the cursor stays there, and the next call throws the same error. */
  private corrupt(what: string): Error {
    const index = this.batch.count - this.left + 1;
    this.failure ??= this.batch.corrupt(`record ${index} of ${this.batch.count} ${what}`);
    this.left = 0;
    this.at = -1;
    return this.failure;
  }
}
