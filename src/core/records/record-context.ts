import type { RecordBatch } from './record-batch.ts';

/** What all records of one batch share: the bytes they lie in and the header fields that their own fields build on. */
export class RecordContext {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly timestampType: 'create' | 'append';
  readonly timestampHigh: number;
  readonly timestampLow: number;
  readonly data: Buffer;
  /** Where `data` lies: asking a typed array for these is a call into native code. */
  readonly memory: ArrayBufferLike;
  readonly memoryStart: number;
  /** The batch whose memory `data` is; undefined after a record was copied off it. */
  readonly batch: RecordBatch | undefined;

  constructor(
    from: Pick<
      RecordContext,
      'baseOffset' | 'leaderEpoch' | 'timestampType' | 'timestampHigh' | 'timestampLow'
    >,
    topic: string,
    partition: number,
    data: Buffer,
    batch: RecordBatch | undefined,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.baseOffset = from.baseOffset;
    this.leaderEpoch = from.leaderEpoch;
    this.timestampType = from.timestampType;
    this.timestampHigh = from.timestampHigh;
    this.timestampLow = from.timestampLow;
    this.data = data;
    this.memory = data.buffer;
    this.memoryStart = data.byteOffset;
    this.batch = batch;
  }

  /** The same for a record that lies alone in `data`, a copy of its bytes. */
  detached(data: Buffer): RecordContext {
    return new RecordContext(this, this.topic, this.partition, data, undefined);
  }
}
