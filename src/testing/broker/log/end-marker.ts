import { ATTRIBUTE, BATCH_OVERHEAD, HEADER, LENGTH_OVERHEAD } from '../../../core/records/batch-header.ts';
import { crc32c } from '../../../core/records/crc32c.ts';
import { writeInt64 } from '../../../core/records/int64.ts';

/** The end of a transaction in one partition. */
export interface EndMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly isAbort: boolean;
  readonly coordinatorEpoch: number;
  readonly timestamp: number;
}

const MAGIC_V2 = 2;
const NO_SEQUENCE = -1;
const COMMIT = 1;
const ABORT = 0;
/** Length, attributes, both deltas, the key and its length, the value and its length, no headers. */
const RECORD_BYTES = 17;
/** As zigzag varints. */
const BODY_LENGTH = (RECORD_BYTES - 1) << 1;
const KEY_LENGTH = 4 << 1;
const VALUE_LENGTH = 6 << 1;

/** The control batch that Kafka writes for it: one record, whose key is (version, type) and whose value is (version, coordinator epoch). */
export function encodeEndMarker(marker: EndMarker): Buffer {
  const batch = Buffer.alloc(BATCH_OVERHEAD + RECORD_BYTES);
  batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, HEADER.batchLength);
  batch.writeInt8(MAGIC_V2, HEADER.magic);
  batch.writeInt16BE(ATTRIBUTE.transactional | ATTRIBUTE.control, HEADER.attributes);
  writeInt64(batch, HEADER.baseTimestamp, marker.timestamp);
  writeInt64(batch, HEADER.maxTimestamp, marker.timestamp);
  writeInt64(batch, HEADER.producerId, marker.producerId);
  batch.writeInt16BE(marker.producerEpoch, HEADER.producerEpoch);
  batch.writeInt32BE(NO_SEQUENCE, HEADER.baseSequence);
  batch.writeInt32BE(1, HEADER.recordCount);
  let at = batch.writeUInt8(BODY_LENGTH, BATCH_OVERHEAD);
  at += 3;
  at = batch.writeUInt8(KEY_LENGTH, at);
  at = batch.writeInt16BE(0, at);
  at = batch.writeInt16BE(marker.isAbort ? ABORT : COMMIT, at);
  at = batch.writeUInt8(VALUE_LENGTH, at);
  at = batch.writeInt16BE(0, at);
  batch.writeInt32BE(marker.coordinatorEpoch, at);
  batch.writeUInt32BE(crc32c(batch, HEADER.attributes, batch.length), HEADER.crc);
  return batch;
}
