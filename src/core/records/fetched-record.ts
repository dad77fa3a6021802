import { emptyHeaders, type HeaderList } from './headers.ts';
import { parseHeaders } from './parse-headers.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RecordContext } from './record-context.ts';
import { int64BigInt, timestampBigInt, timestampNumber } from './timestamp.ts';
import type { ConsumerRecord, RecordHeaders } from './types.ts';

/**
 * A record as read, lying in the bytes of its batch: key, value, headers and timestamp are read out when they are asked for.
 * A BatchCursor makes it, after it has checked the record's structure, so that no getter can fail.
 */
export class FetchedRecord implements ConsumerRecord {
  private context: RecordContext;
  private start: number;
  private end: number;
  private readonly offsetDelta: number;
  private keyStart: number;
  private readonly keyLength: number;
  private valueStart: number;
  private readonly valueLength: number;
  private keyView: Buffer | null | undefined;
  private valueView: Buffer | null | undefined;
  private headerList: HeaderList | undefined;

  /** Positions are in `context.data`; `start` is that of the record's length; a length of -1 stands for null. */
  constructor(
    context: RecordContext,
    start: number,
    end: number,
    offsetDelta: number,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
  ) {
    this.context = context;
    this.start = start;
    this.end = end;
    this.offsetDelta = offsetDelta;
    this.keyStart = keyStart;
    this.keyLength = keyLength;
    this.valueStart = valueStart;
    this.valueLength = valueLength;
    this.keyView = undefined;
    this.valueView = undefined;
    this.headerList = undefined;
  }

  get topic(): string {
    return this.context.topic;
  }

  get partition(): number {
    return this.context.partition;
  }

  get offset(): number {
    return this.context.baseOffset + this.offsetDelta;
  }

  get leaderEpoch(): number {
    return this.context.leaderEpoch;
  }

  get timestampType(): 'create' | 'append' {
    return this.context.timestampType;
  }

  /** Milliseconds since 1970, the nearest number; -1 for none. */
  get timestamp(): number {
    const { data, timestampHigh, timestampLow, timestampType } = this.context;
    if (timestampType === 'append') return timestampHigh * 0x1_0000_0000 + (timestampLow >>> 0);
    return timestampNumber(data, this.deltaStart(), timestampHigh, timestampLow);
  }

  /** The timestamp exactly as written. */
  get timestampBigInt(): bigint {
    const { data, timestampHigh, timestampLow, timestampType } = this.context;
    if (timestampType === 'append') return int64BigInt(timestampHigh, timestampLow);
    return timestampBigInt(data, this.deltaStart(), timestampHigh, timestampLow);
  }

  /** A view of the key, null when there is none. */
  get key(): Buffer | null {
    if (this.keyView === undefined) this.keyView = this.view(this.keyStart, this.keyLength);
    return this.keyView;
  }

  /** A view of the value, null for a tombstone. */
  get value(): Buffer | null {
    if (this.valueView === undefined) this.valueView = this.view(this.valueStart, this.valueLength);
    return this.valueView;
  }

  /** The key decoded as UTF-8, without a Buffer on the way. */
  get keyText(): string | null {
    return this.textAt(this.keyStart, this.keyLength);
  }

  /** The value decoded as UTF-8, without a Buffer on the way. */
  get valueText(): string | null {
    return this.textAt(this.valueStart, this.valueLength);
  }

  get headers(): RecordHeaders {
    if (this.headerList === undefined) {
      const at = this.valueStart + (this.valueLength > 0 ? this.valueLength : 0);
      this.headerList = at === this.end - 1 ? emptyHeaders : parseHeaders(this.context.data, at);
    }
    return this.headerList;
  }

  /** Bytes of the record in its (decompressed) batch. */
  get bytes(): number {
    return this.end - this.start;
  }

  /** The batch whose memory this record retains; undefined once it is compacted. */
  get batch(): RecordBatch | undefined {
    return this.context.batch;
  }

  /** Copies the record's bytes off its batch, so that the batch can be freed. Views handed out before keep the old memory. */
  compact(): void {
    const { context, start } = this;
    if (context.batch === undefined) return;
    const own = Buffer.allocUnsafeSlow(this.end - start);
    context.data.copy(own, 0, start, this.end);
    this.context = context.detached(own);
    this.keyStart -= start;
    this.valueStart -= start;
    this.end -= start;
    this.start = 0;
    this.keyView = undefined;
    this.valueView = undefined;
    this.headerList = undefined;
  }

  /** Where the timestamp delta lies: after the length and one byte of attributes. */
  private deltaStart(): number {
    const { data } = this.context;
    let at = this.start;
    while (data[at]! >= 0x80) at++;
    return at + 2;
  }

  private view(start: number, length: number): Buffer | null {
    return length < 0 ? null : this.context.data.subarray(start, start + length);
  }

  private textAt(start: number, length: number): string | null {
    return length < 0 ? null : this.context.data.toString('utf8', start, start + length);
  }
}
