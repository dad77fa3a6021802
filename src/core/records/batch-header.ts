// The 61 bytes before the records of a batch of format v2, and what may be changed in them after the batch is sealed.
import { crc32c } from './crc32c.ts';
import { writeInt64 } from './int64.ts';

/** Where each field of a batch header starts. The CRC covers everything from `attributes` to the end of the batch. */
export const HEADER = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** Bytes of a batch without its records. */
export const BATCH_OVERHEAD = 61;

/** Bytes of a batch that its length field does not count: base offset and the length itself. */
export const LENGTH_OVERHEAD = 12;

/** The bits of a batch's attributes. */
export const ATTRIBUTE = {
  codecMask: 0x07,
  appendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

/** Computes the CRC of a sealed batch again after its header was changed. */
function stampCrc(batch: Buffer): void {
  batch.writeUInt32BE(crc32c(batch, HEADER.attributes, batch.length), HEADER.crc);
}

/** Gives a sealed batch its producer id, epoch and first sequence, and a new CRC. Kept outside the builder: a retried batch has no builder any more. */
export function stampProducer(
  batch: Buffer,
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
): void {
  writeInt64(batch, HEADER.producerId, producerId);
  batch.writeInt16BE(producerEpoch, HEADER.producerEpoch);
  batch.writeInt32BE(baseSequence, HEADER.baseSequence);
  stampCrc(batch);
}

/** What a log does when it takes a batch: its base offset and leader epoch, both outside the CRC. */
export function stampOffsets(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch, HEADER.baseOffset, baseOffset);
  batch.writeInt32BE(leaderEpoch, HEADER.partitionLeaderEpoch);
}

/** What a log with `message.timestamp.type=LogAppendTime` does to a batch: one time for all its records. */
export function stampAppendTime(batch: Buffer, timestamp: number): void {
  writeInt64(batch, HEADER.maxTimestamp, timestamp);
  batch.writeInt16BE(batch.readInt16BE(HEADER.attributes) | ATTRIBUTE.appendTime, HEADER.attributes);
  stampCrc(batch);
}
