// One batch of format v2 as a broker sends it. Everything outside the records is read and checked here; the records stay bytes until
// a BatchCursor walks over them.
import { CODEC_NAMES, DEFAULT_MAX_DECOMPRESSED_BYTES, type CodecName } from '../compression/codec.ts';
import { codecById } from '../compression/registry.ts';
import { CompressionError, CorruptRecordError } from '../../errors.ts';
import { ATTRIBUTE, BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from './batch-header.ts';
import { crc32c } from './crc32c.ts';
import { readInt64 } from './int64.ts';

/** Where record bytes come from; for error messages. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
}

// Length, attributes, two deltas, two lengths and a header count of one byte each.
const MIN_RECORD_BYTES = 7;

/** One checked batch; its records are decompressed by {@link RecordBatch.open} and read by a BatchCursor. */
export class RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The epoch of the leader that wrote it; -1 when unknown. */
  readonly leaderEpoch: number;
  /** Number of records; may be less than the offsets it spans, and 0, after compaction. */
  readonly count: number;
  /** Compression type: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; see `prepareCodec`. */
  readonly codecId: number;
  readonly timestampType: 'create' | 'append';
  /** Nearest number to the largest timestamp in it; -1 for none. */
  readonly maxTimestamp: number;
  /** -1 when the producer was not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  /** Bytes of the batch on the wire. */
  readonly wireBytes: number;
  /** The halves of the timestamp that record deltas are added to; with `timestampType` 'append' they are the timestamp itself. */
  readonly timestampHigh: number;
  readonly timestampLow: number;
  private payload: Buffer;
  private opened: boolean;

  /** Reads the complete batch `bytes`; {@link parseBatches} has checked length, magic and CRC. */
  constructor(bytes: Buffer, origin: RecordOrigin) {
    const attributes = bytes.readInt16BE(HEADER.attributes);
    const appendTime = (attributes & ATTRIBUTE.appendTime) !== 0;
    const timestampAt = appendTime ? HEADER.maxTimestamp : HEADER.baseTimestamp;
    this.topic = origin.topic;
    this.partition = origin.partition;
    this.baseOffset = readInt64(bytes, HEADER.baseOffset);
    this.lastOffset = this.baseOffset + bytes.readInt32BE(HEADER.lastOffsetDelta);
    this.leaderEpoch = bytes.readInt32BE(HEADER.partitionLeaderEpoch);
    this.count = bytes.readInt32BE(HEADER.recordCount);
    this.codecId = attributes & ATTRIBUTE.codecMask;
    this.timestampType = appendTime ? 'append' : 'create';
    this.maxTimestamp = readInt64(bytes, HEADER.maxTimestamp);
    this.producerId = readInt64(bytes, HEADER.producerId);
    this.producerEpoch = bytes.readInt16BE(HEADER.producerEpoch);
    this.baseSequence = bytes.readInt32BE(HEADER.baseSequence);
    this.isControl = (attributes & ATTRIBUTE.control) !== 0;
    this.isTransactional = (attributes & ATTRIBUTE.transactional) !== 0;
    this.wireBytes = bytes.length;
    this.timestampHigh = bytes.readInt32BE(timestampAt);
    this.timestampLow = bytes.readInt32BE(timestampAt + 4);
    this.payload = bytes.subarray(BATCH_OVERHEAD);
    this.opened = this.codecId === 0;
    this.check();
  }

  /** Whether its records are there decompressed. */
  get isOpen(): boolean {
    return this.opened;
  }

  /** The codec's name; 'none' to 'zstd'. */
  get codec(): CodecName | undefined {
    return CODEC_NAMES[this.codecId];
  }

  /** Bytes of memory that this batch retains: as sent until it is opened, decompressed afterwards. */
  get bytes(): number {
    return this.payload.length + BATCH_OVERHEAD;
  }

  /**
   * The bytes of its records, decompressed at the first call. The codec must be ready (`prepareCodec(batch.codecId)`).
   * @throws CompressionError when the codec is missing or the records are damaged or larger than `maxBytes`.
   */
  open(maxBytes: number = DEFAULT_MAX_DECOMPRESSED_BYTES): Buffer {
    if (!this.opened) this.unpacked(this.decompress(maxBytes));
    return this.payload;
  }

  /**
   * As `open`, with a promise where decompressing takes long: another thread does it then, and `open` costs nothing once it has resolved.
   * Undefined when it is open now.
   */
  openAside(maxBytes: number = DEFAULT_MAX_DECOMPRESSED_BYTES): Promise<void> | undefined {
    if (this.opened) return undefined;
    let result: Buffer | Promise<Buffer>;
    try {
      result = codecById(this.codecId).decompressAside(this.payload, maxBytes);
    } catch (error) {
      throw this.located(error);
    }
    if (Buffer.isBuffer(result)) {
      this.unpacked(result);
      return undefined;
    }
    return result.then(
      (payload) => this.unpacked(payload),
      (error: unknown) => {
        throw this.located(error);
      },
    );
  }

  private decompress(maxBytes: number): Buffer {
    try {
      return codecById(this.codecId).decompress(this.payload, maxBytes);
    } catch (error) {
      throw this.located(error);
    }
  }

  private unpacked(payload: Buffer): void {
    if (this.opened) return;
    this.payload = payload;
    this.opened = true;
    this.checkCount();
  }

  /** The error of a codec with the place of the batch. */
  private located(error: unknown): unknown {
    if (!(error instanceof CompressionError)) return error;
    const where = `The batch at offset ${this.baseOffset} of ${this.topic}-${this.partition}`;
    return new CompressionError(`${where} cannot be decompressed. ${error.message}`, error.codec, {
      cause: error,
    });
  }

  /** The error of something wrong in this batch. */
  corrupt(what: string, cause?: unknown): CorruptRecordError {
    return corruptAt(this, this.baseOffset, what, cause);
  }

  private check(): void {
    if (this.baseOffset < 0 || this.lastOffset > Number.MAX_SAFE_INTEGER)
      throw this.corrupt(`offsets from ${this.baseOffset} to ${this.lastOffset} are outside 0 to 2^53-1`);
    if (this.lastOffset < this.baseOffset)
      throw this.corrupt(`its last offset is ${this.lastOffset}, before its first`);
    if (this.count < 0 || this.count > this.lastOffset - this.baseOffset + 1)
      throw this.corrupt(
        `it claims ${this.count} records between offsets ${this.baseOffset} and ${this.lastOffset}`,
      );
    if (this.opened) this.checkCount();
  }

  private checkCount(): void {
    if (this.count * MIN_RECORD_BYTES > this.payload.length)
      throw this.corrupt(`it claims ${this.count} records in ${this.payload.length} bytes`);
  }
}

function corruptAt(origin: RecordOrigin, offset: number, what: string, cause?: unknown): CorruptRecordError {
  const message = `The batch at offset ${offset} of ${origin.topic}-${origin.partition} is corrupt: ${what}.`;
  return new CorruptRecordError(message, { topic: origin.topic, partition: origin.partition, cause });
}

/**
 * The batches in a partition's records, one by one and each checked when it is reached, so that those before a bad one stay usable.
 * A cut-off last batch is dropped: brokers send as much as fits. A cut-off *first* one is an error, since no broker sends it and a reader
 * would ask for it again for ever.
 * @throws CorruptRecordError (while iterating) for a wrong CRC, an impossible length or count, and formats before v2.
 */
export function* parseBatches(
  records: Buffer,
  origin: RecordOrigin,
): Generator<RecordBatch, void, undefined> {
  let at = 0;
  while (at < records.length) {
    const bytes = nextBatch(records, at, origin);
    if (bytes === undefined) return;
    yield new RecordBatch(bytes, origin);
    at += bytes.length;
  }
}

function nextBatch(records: Buffer, at: number, origin: RecordOrigin): Buffer | undefined {
  const available = records.length - at;
  if (available <= HEADER.magic) {
    if (at > 0) return undefined;
    throw corruptAt(origin, -1, `only ${available} bytes of it were sent`);
  }
  const offset = readInt64(records, at);
  const magic = records.readInt8(at + HEADER.magic);
  if (magic !== 2) throw corruptAt(origin, offset, describeMagic(magic));
  const size = records.readInt32BE(at + HEADER.batchLength) + LENGTH_OVERHEAD;
  if (size < BATCH_OVERHEAD)
    throw corruptAt(origin, offset, `its length ${size - LENGTH_OVERHEAD} is impossible`);
  if (size > available) {
    if (at > 0) return undefined;
    throw corruptAt(origin, offset, `it claims ${size} bytes, but only ${available} were sent`);
  }
  const claimed = records.readUInt32BE(at + HEADER.crc);
  const actual = crc32c(records, at + HEADER.attributes, at + size);
  if (claimed !== actual)
    throw corruptAt(
      origin,
      offset,
      `its CRC is ${claimed.toString(16)}, but its bytes give ${actual.toString(16)}`,
    );
  return records.subarray(at, at + size);
}

function describeMagic(magic: number): string {
  if (magic === 0 || magic === 1)
    return `it has the old message format v${magic}, which is not read; Kafka 3.0 and later write format v2`;
  return `its format version is ${magic}; only v2 is known`;
}
