// Writes a batch of format v2 in one pass: records go behind a gap of 61 bytes, and `seal` fills in the header. Lengths of strings are
// guessed to be their number of characters, which saves a pass over ASCII text; where that is wrong the record is written again.
import { codecById, codecId } from '../compression/registry.ts';
import type { CodecName } from '../compression/codec.ts';
import { UsageError } from '../../errors.ts';
import { ATTRIBUTE, BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD, stampProducer } from './batch-header.ts';
import { crc32c } from './crc32c.ts';
import { emptyHeaders, headersFrom, type HeaderList } from './headers.ts';
import { writeInt64 } from './int64.ts';
import { bytesLength, headersSize } from './record-size.ts';
import type { Bytes, HeadersInit } from './types.ts';
import { highHalf, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts';

/** The fields of a batch that are known only when it is sent. */
export interface SealOptions {
  /** Must be ready: `prepareCodec`. */
  readonly codec: CodecName;
  /** Of the codec; default its own. */
  readonly level?: number | undefined;
  /** The {@link BatchBuilder.records}, compressed by `codec` already. */
  readonly packed?: Buffer | undefined;
  /** -1 for a producer that is not idempotent; so are the epoch and the sequence then. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional?: boolean;
}

const START_BYTES = 4096;
// Longer strings are measured before they are written: a wrong guess would need room for three bytes a character.
const MAX_GUESSED_CHARS = 1024;
// Up to here a loop is faster than a call into native code.
const MAX_LOOPED_CHARS = 24;
const MAX_LOOPED_BYTES = 8;

// A string that is not ASCII and meets the end of the buffer must not come out with just the guessed length: with room for one more
// character it comes out longer.
const SPARE_BYTES = 4;
const MAX_INT64 = 2 ** 63;

/** The length of `value` in bytes, -1 for null, if its text is ASCII. */
function guessLength(value: Bytes | null): number {
  if (value === null) return -1;
  return typeof value !== 'string' || value.length <= MAX_GUESSED_CHARS
    ? value.length
    : Buffer.byteLength(value);
}

/** A batch being filled. `seal` gives its memory away; a sealed builder is full. */
export class BatchBuilder {
  /** Records so far. */
  count = 0;
  /** Exact size so far of the batch before compression, header included. */
  bytes = BATCH_OVERHEAD;
  private buffer: Buffer;
  private maxBytes: number;
  private baseTimestamp = 0;
  private maxTimestamp = 0;
  private sealed = false;

  /**
   * `maxBytes` bounds the batch before compression, but the first record always fits; `start` is the memory it begins with: bytes, or a buffer that is
   * its own until the batch is sent.
   */
  constructor(maxBytes: number, start: number | Buffer = START_BYTES) {
    this.maxBytes = maxBytes;
    this.buffer =
      typeof start === 'number'
        ? Buffer.allocUnsafe(Math.max(BATCH_OVERHEAD, Math.min(start, maxBytes)))
        : start;
  }

  /**
   * Appends a record; false when it would not fit any more, and nothing has changed then. Timestamps are whole milliseconds, -1 for none.
   * @throws UsageError when the timestamp is no integer.
   */
  tryAppend(
    key: Bytes | null,
    value: Bytes | null,
    headers: HeadersInit | undefined,
    timestamp: number,
  ): boolean {
    const list = headers === undefined ? emptyHeaders : headersFrom(headers);
    const headerBytes = list === emptyHeaders ? 1 : headersSize(list);
    if (this.count === 0) this.setBase(timestamp);
    const position = this.bytes;
    const fits = this.append(key, guessLength(key), value, guessLength(value), list, headerBytes, timestamp);
    if (!fits) return false;
    if (this.bytes !== position) return true;
    return this.append(key, bytesLength(key), value, bytesLength(value), list, headerBytes, timestamp);
  }

  /** The records so far, as they are compressed. They stay as they are until another one is appended. */
  get records(): Buffer {
    return this.buffer.subarray(BATCH_OVERHEAD, this.bytes);
  }

  /**
   * Finishes the batch: base offset 0, leader epoch -1, CRC set. Uncompressed it is the builder's own memory, not a copy.
   * @throws CompressionError when the codec is not ready.
   */
  seal(options: SealOptions): Buffer {
    if (this.sealed || this.count === 0)
      throw new UsageError(`A batch ${this.sealed ? 'that is sealed' : 'without records'} cannot be sealed.`);
    const codec = codecId(options.codec);
    let batch = this.buffer.subarray(0, this.bytes);
    if (codec !== 0) {
      const records = options.packed ?? codecById(codec).compress(this.records, options.level);
      batch = Buffer.allocUnsafeSlow(BATCH_OVERHEAD + records.length);
      records.copy(batch, BATCH_OVERHEAD);
    }
    this.writeHeader(batch, codec, options);
    this.sealed = true;
    this.maxBytes = 0;
    this.buffer = batch;
    return batch;
  }

  /** Gives a sealed batch another producer id, epoch and first sequence, and a new CRC. */
  static setProducer(batch: Buffer, producerId: number, producerEpoch: number, baseSequence: number): void {
    stampProducer(batch, producerId, producerEpoch, baseSequence);
  }

  /**
   * Writes one record with these lengths. False when it does not fit; true with `bytes` unchanged when a length was guessed wrong.
   */
  private append(
    key: Bytes | null,
    keyLength: number,
    value: Bytes | null,
    valueLength: number,
    headers: HeaderList,
    headerBytes: number,
    timestamp: number,
  ): boolean {
    const delta = timestamp - this.baseTimestamp;
    const isShort = (delta | 0) === delta;
    const deltaBytes = isShort ? sizeOfVarint(delta) : this.wideDeltaSize(timestamp);
    const keyBytes = keyLength < 0 ? 0 : keyLength;
    const valueBytes = valueLength < 0 ? 0 : valueLength;
    const body =
      1 +
      deltaBytes +
      sizeOfVarint(this.count) +
      sizeOfVarint(keyLength) +
      keyBytes +
      sizeOfVarint(valueLength) +
      valueBytes +
      headerBytes;
    const end = this.bytes + sizeOfVarint(body) + body;
    if (end > this.maxBytes && this.count > 0) return false;
    if (end + SPARE_BYTES > this.buffer.length) this.grow(end + SPARE_BYTES);
    const { buffer } = this;
    let at = writeVarint(buffer, this.bytes, body);
    buffer[at++] = 0;
    at = isShort ? writeVarint(buffer, at, delta) : this.writeWideDelta(at, timestamp);
    at = writeVarint(buffer, at, this.count);
    at = writeVarint(buffer, at, keyLength);
    if (key !== null && keyLength > 0) {
      if (this.write(key, at, keyLength) !== keyLength) return true;
      at += keyLength;
    }
    at = writeVarint(buffer, at, valueLength);
    if (value !== null && valueLength > 0) {
      if (this.write(value, at, valueLength) !== valueLength) return true;
      at += valueLength;
    }
    if (headerBytes === 1) buffer[at] = 0;
    else this.writeHeaders(headers, at);
    this.bytes = end;
    this.count++;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    return true;
  }

  /** Writes a key or value and returns its bytes, which differ from `length` when that was a wrong guess. */
  private write(value: Bytes, at: number, length: number): number {
    const { buffer } = this;
    if (typeof value === 'string') {
      if (length > MAX_LOOPED_CHARS) return buffer.write(value, at);
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) return buffer.write(value, at);
        buffer[at + i] = code;
      }
      return value.length;
    }
    if (length > MAX_LOOPED_BYTES) buffer.set(value, at);
    else for (let i = 0; i < length; i++) buffer[at + i] = value[i]!;
    return length;
  }

  private writeHeaders(headers: HeaderList, at: number): void {
    const { names, values } = headers;
    at = writeVarint(this.buffer, at, names.length);
    for (let i = 0; i < names.length; i++) {
      at = this.writeMeasured(names[i]!, at);
      at = this.writeMeasured(values[i]!, at);
    }
  }

  private writeMeasured(value: Bytes | null, at: number): number {
    const length = bytesLength(value);
    at = writeVarint(this.buffer, at, length);
    return value === null ? at : at + this.write(value, at, length);
  }

  private setBase(timestamp: number): void {
    checkTimestamp(timestamp);
    this.baseTimestamp = timestamp;
    this.maxTimestamp = timestamp;
  }

  // Deltas past int32 are taken of 32-bit halves: the difference of two numbers past 2^53 need not be a number.
  private wideDeltaSize(timestamp: number): number {
    checkTimestamp(timestamp);
    const low = (timestamp >>> 0) - (this.baseTimestamp >>> 0);
    return sizeOfVarlong(this.wideDeltaHigh(timestamp, low), low | 0);
  }

  private writeWideDelta(at: number, timestamp: number): number {
    const low = (timestamp >>> 0) - (this.baseTimestamp >>> 0);
    return writeVarlong(this.buffer, at, this.wideDeltaHigh(timestamp, low), low | 0);
  }

  private wideDeltaHigh(timestamp: number, low: number): number {
    return (highHalf(timestamp) - highHalf(this.baseTimestamp) - (low < 0 ? 1 : 0)) | 0;
  }

  private grow(bytes: number): void {
    let size = this.buffer.length * 2;
    while (size < bytes) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, 0, this.bytes);
    this.buffer = larger;
  }

  private writeHeader(batch: Buffer, codec: number, options: SealOptions): void {
    const transactional = options.transactional === true ? ATTRIBUTE.transactional : 0;
    writeInt64(batch, HEADER.baseOffset, 0);
    batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, HEADER.batchLength);
    batch.writeInt32BE(-1, HEADER.partitionLeaderEpoch);
    batch.writeInt8(2, HEADER.magic);
    batch.writeInt16BE(codec | transactional, HEADER.attributes);
    batch.writeInt32BE(this.count - 1, HEADER.lastOffsetDelta);
    writeInt64(batch, HEADER.baseTimestamp, this.baseTimestamp);
    writeInt64(batch, HEADER.maxTimestamp, this.maxTimestamp);
    writeInt64(batch, HEADER.producerId, options.producerId);
    batch.writeInt16BE(options.producerEpoch, HEADER.producerEpoch);
    batch.writeInt32BE(options.baseSequence, HEADER.baseSequence);
    batch.writeInt32BE(this.count, HEADER.recordCount);
    batch.writeUInt32BE(crc32c(batch, HEADER.attributes, batch.length), HEADER.crc);
  }
}

function checkTimestamp(timestamp: number): void {
  if (!Number.isInteger(timestamp) || timestamp < -MAX_INT64 || timestamp >= MAX_INT64)
    throw new UsageError(
      `A record's timestamp must be a whole number of milliseconds, not ${timestamp}.`,
      'timestamp',
    );
}
