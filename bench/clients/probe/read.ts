// The least that reading takes: one connection, the next fetch on its way before the last answer is worked through, CRC, one object per record whose
// value is cut out on demand.
import { crc32c } from '@node-rs/crc32';
import type { Subscriber } from 'rxjs';
import type { Job } from '../task.ts';
import { RequestWriter, type ProbeWire } from './wire.ts';

const FETCH = 1;
const FETCH_VERSION = 4;
const MAX_WAIT_MS = 500;
const PARTITION_BYTES = 1024 * 1024;
const RESPONSE_BYTES = 8 * 1024 * 1024;
const REQUEST_BYTES = 64 * 1024;

const BATCH_LENGTH_AT = 8;
const BATCH_OVERHEAD = 12;
const CRC_AT = 17;
const CRC_FROM = 21;
const LAST_OFFSET_DELTA_AT = 23;
const COUNT_AT = 57;
const RECORDS_AT = 61;

/** Knows where it lies, and cuts its value out when it is asked for. */
export class ProbeRecord {
  private readonly bytes: Buffer;
  private readonly valueAt: number;
  private readonly end: number;

  constructor(bytes: Buffer, valueAt: number, end: number) {
    this.bytes = bytes;
    this.valueAt = valueAt;
    this.end = end;
  }

  get value(): Buffer {
    return this.bytes.subarray(this.valueAt, this.end);
  }
}

/** One answer's records of one partition. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** Reads the topic from its beginning until `enough` says so. */
export class ProbeReader {
  private readonly wire: ProbeWire;
  private readonly topic: string;
  private readonly offsets: number[];
  private readonly out: Subscriber<ProbeRecord>;
  private readonly enough: () => boolean;
  private readonly request = Buffer.allocUnsafeSlow(REQUEST_BYTES);
  private readonly parts: Part[] = [];
  private first = 0;
  private cursor = 0;

  constructor(
    wire: ProbeWire,
    { topic, partitions }: Job,
    out: Subscriber<ProbeRecord>,
    enough: () => boolean,
  ) {
    this.wire = wire;
    this.topic = topic;
    this.offsets = new Array<number>(partitions).fill(0);
    this.out = out;
    this.enough = enough;
  }

  start(): void {
    this.wire.onFrame = (frame) => this.take(frame);
    this.ask();
  }

  private ask(): void {
    const { offsets, first } = this;
    const writer = new RequestWriter(this.request).header(FETCH, FETCH_VERSION, 1);
    writer.int32(-1).int32(MAX_WAIT_MS).int32(1).int32(RESPONSE_BYTES).int8(0);
    writer.int32(1).text(this.topic).int32(offsets.length);
    for (let at = 0; at < offsets.length; at++) {
      const partition = (first + at) % offsets.length;
      writer.int32(partition).offset(offsets[partition]!).int32(PARTITION_BYTES);
    }
    this.wire.write(Buffer.from(writer.end()));
  }

  private take(frame: Buffer): void {
    this.findParts(frame);
    if (this.enough()) return;
    this.ask();
    for (const { start, end } of this.parts) this.emitBatches(frame, start, end);
  }

  /** Moves the offsets to behind what came. */
  private findParts(frame: Buffer): void {
    this.parts.length = 0;
    // Correlation id, throttle time, one topic.
    let at = 12;
    at += 2 + frame.readInt16BE(at);
    const partitions = frame.readInt32BE(at);
    at += 4;
    for (let nth = 0; nth < partitions; nth++) {
      const partition = frame.readInt32BE(at);
      const errorCode = frame.readInt16BE(at + 4);
      if (errorCode !== 0) throw new Error(`partition ${partition}: error ${errorCode}`);
      at += 22;
      const aborted = frame.readInt32BE(at);
      at += 4 + Math.max(0, aborted) * 16;
      const length = Math.max(0, frame.readInt32BE(at));
      at += 4;
      const end = this.lastWhole(frame, at, at + length, partition);
      if (end > at) {
        this.parts.push({ start: at, end });
        this.first = (partition + 1) % this.offsets.length;
      }
      at += length;
    }
  }

  private lastWhole(frame: Buffer, start: number, end: number, partition: number): number {
    let at = start;
    while (at + BATCH_OVERHEAD <= end) {
      const next = at + BATCH_OVERHEAD + frame.readInt32BE(at + BATCH_LENGTH_AT);
      if (next > end) break;
      const baseOffset = frame.readUInt32BE(at) * 2 ** 32 + frame.readUInt32BE(at + 4);
      this.offsets[partition] = baseOffset + frame.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1;
      at = next;
    }
    return at;
  }

  private emitBatches(frame: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const next = at + BATCH_OVERHEAD + frame.readInt32BE(at + BATCH_LENGTH_AT);
      if (crc32c(frame.subarray(at + CRC_FROM, next)) !== frame.readUInt32BE(at + CRC_AT))
        throw new Error('a batch is corrupt');
      this.emitRecords(frame, at + RECORDS_AT, frame.readInt32BE(at + COUNT_AT));
      at = next;
    }
  }

  private emitRecords(frame: Buffer, start: number, count: number): void {
    const { out } = this;
    this.cursor = start;
    for (let nth = 0; nth < count; nth++) {
      const length = this.varint(frame);
      const end = this.cursor + length;
      this.cursor++;
      this.skipVarint(frame);
      this.skipVarint(frame);
      const keyBytes = this.varint(frame);
      if (keyBytes > 0) this.cursor += keyBytes;
      const valueBytes = this.varint(frame);
      out.next(new ProbeRecord(frame, this.cursor, this.cursor + valueBytes));
      this.cursor = end;
    }
  }

  private varint(frame: Buffer): number {
    let byte = frame[this.cursor++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = frame[this.cursor++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  private skipVarint(frame: Buffer): void {
    while (frame[this.cursor++]! > 0x7f);
  }
}
