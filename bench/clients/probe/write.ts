// The least that writing takes: batches encoded in place into requests, pipelined on one connection. Not idempotent, and nothing is ever repeated.
import { crc32c } from '@node-rs/crc32';
import type { Job } from '../task.ts';
import { weight } from '../values.ts';
import { RequestWriter, type ProbeWire } from './wire.ts';

const PRODUCE = 0;
const PRODUCE_VERSION = 3;
const TIMEOUT_MS = 30_000;
const REQUESTS_IN_FLIGHT = 5;
const BATCH_BYTES = 1_000_000;
const SLACK_BYTES = 1024;
const RECORD_OVERHEAD = 20;
const MAGIC = 2;

/** A request's memory, used again once its answer is there. */
interface Slot {
  readonly bytes: Buffer;
  records: number;
  sum: number;
}

/** Writes the values of `pool` in turn, spread over the partitions batch by batch. */
export class ProbeWriter {
  sum = 0;
  private readonly wire: ProbeWire;
  private readonly job: Job;
  private readonly pool: readonly Buffer[];
  private readonly free: Slot[];
  private readonly sent: Slot[] = [];
  private next = 0;
  private acked = 0;
  private partition = 0;

  constructor(wire: ProbeWire, job: Job, pool: readonly Buffer[]) {
    this.wire = wire;
    this.job = job;
    this.pool = pool;
    const bytes = BATCH_BYTES + pool[0]!.length + SLACK_BYTES;
    this.free = Array.from({ length: REQUESTS_IN_FLIGHT }, () => ({
      bytes: Buffer.allocUnsafeSlow(bytes),
      records: 0,
      sum: 0,
    }));
  }

  /** Calls back when everything is acknowledged. */
  start(done: () => void): void {
    this.wire.onFrame = (frame) => {
      this.take(frame);
      if (this.acked === this.job.records) done();
      else this.fill();
    };
    this.fill();
  }

  private fill(): void {
    while (this.next < this.job.records && this.free.length > 0) {
      const slot = this.free.pop()!;
      this.sent.push(slot);
      this.wire.write(this.encode(slot));
    }
  }

  private take(frame: Buffer): void {
    const slot = this.sent.shift()!;
    const at = 8 + 2 + frame.readInt16BE(8) + 4;
    const errorCode = frame.readInt16BE(at + 4);
    if (errorCode !== 0) throw new Error(`a batch was refused: error ${errorCode}`);
    this.acked += slot.records;
    this.sum += slot.sum;
    this.free.push(slot);
  }

  private encode(slot: Slot): Buffer {
    const { bytes } = slot;
    const writer = new RequestWriter(bytes).header(PRODUCE, PRODUCE_VERSION, 1);
    writer.int16(-1).int16(-1).int32(TIMEOUT_MS).int32(1).text(this.job.topic);
    writer.int32(1).int32(this.partition);
    this.partition = (this.partition + 1) % this.job.partitions;
    const lengthAt = writer.at;
    const batchAt = lengthAt + 4;
    writer.at = batchAt + 61;
    this.encodeRecords(slot, writer);
    const end = writer.at;
    const now = Date.now();
    writer.at = batchAt;
    writer
      .offset(0)
      .int32(end - batchAt - 12)
      .int32(-1)
      .int8(MAGIC)
      .int32(0);
    writer
      .int16(0)
      .int32(slot.records - 1)
      .offset(now)
      .offset(now);
    writer.offset(-1).int16(-1).int32(-1).int32(slot.records);
    bytes.writeUInt32BE(crc32c(bytes.subarray(batchAt + 21, end)), batchAt + 17);
    bytes.writeInt32BE(end - batchAt, lengthAt);
    writer.at = end;
    return writer.end();
  }

  private encodeRecords(slot: Slot, writer: RequestWriter): void {
    const { pool, job } = this;
    const { bytes } = slot;
    let { at } = writer;
    let count = 0;
    let sum = 0;
    while (this.next < job.records) {
      const value = pool[this.next % pool.length]!;
      const { length } = value;
      if (count > 0 && at + length + RECORD_OVERHEAD > BATCH_BYTES) break;
      const size = 4 + varintBytes(count * 2) + varintBytes(length * 2) + length;
      at = writeVarint(bytes, size * 2, at);
      bytes[at++] = 0;
      bytes[at++] = 0;
      at = writeVarint(bytes, count * 2, at);
      bytes[at++] = 1;
      at = writeVarint(bytes, length * 2, at);
      value.copy(bytes, at);
      at += length;
      bytes[at++] = 0;
      sum += weight(value);
      count++;
      this.next++;
    }
    slot.records = count;
    slot.sum = sum;
    writer.at = at;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

function writeVarint(bytes: Buffer, value: number, start: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
