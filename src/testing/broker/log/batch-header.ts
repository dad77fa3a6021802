import { ATTRIBUTE, BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../../../core/records/batch-header.ts';
import { readInt64 } from '../../../core/records/int64.ts';

/** The fixed part of a record batch as its sender wrote it; nothing in it is checked. */
export interface BatchHeader {
  /** The whole batch, by its own length field. */
  readonly bytes: number;
  readonly baseOffset: number;
  readonly magic: number;
  readonly crc: number;
  readonly codecId: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
  /** -1 without idempotence. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** Reads the header at the start of `batch`, which must hold at least `BATCH_OVERHEAD` bytes. */
export function readBatchHeader(batch: Buffer): BatchHeader {
  const attributes = batch.readInt16BE(HEADER.attributes);
  return {
    bytes: batch.readInt32BE(HEADER.batchLength) + LENGTH_OVERHEAD,
    baseOffset: readInt64(batch, HEADER.baseOffset),
    magic: batch.readInt8(HEADER.magic),
    crc: batch.readUInt32BE(HEADER.crc),
    codecId: attributes & ATTRIBUTE.codecMask,
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    lastOffsetDelta: batch.readInt32BE(HEADER.lastOffsetDelta),
    maxTimestamp: readInt64(batch, HEADER.maxTimestamp),
    producerId: readInt64(batch, HEADER.producerId),
    producerEpoch: batch.readInt16BE(HEADER.producerEpoch),
    baseSequence: batch.readInt32BE(HEADER.baseSequence),
    recordCount: batch.readInt32BE(HEADER.recordCount),
  };
}

/** Whether the batch at the start of `records`, which may be anything, says that it is part of a transaction. */
export function isTransactional(records: Buffer): boolean {
  if (records.length < BATCH_OVERHEAD) return false;
  return (records.readInt16BE(HEADER.attributes) & ATTRIBUTE.transactional) !== 0;
}
