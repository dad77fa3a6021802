import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { BATCH_OVERHEAD, HEADER } from '../../../core/records/batch-header.ts';
import { crc32c } from '../../../core/records/crc32c.ts';
import { readBatchHeader } from './batch-header.ts';
import type { BatchHeader } from './batch-header.ts';

/** Why a partition refuses something: Kafka's error code, and words for a person where Kafka has some. */
export interface Refusal {
  readonly code: number;
  readonly message: string | null;
  /** It was refused before the log was looked at. */
  readonly isUnverified?: boolean;
  /** The records that are the cause, by their index in the batch. */
  readonly recordErrors?: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[];
}

/** What a topic's configuration demands of batches. */
export interface BatchLimits {
  readonly maxMessageBytes: number;
  /** The largest timestamp a record may carry. */
  readonly latestTimestamp: number;
}

const MAGIC_V2 = 2;
const MAX_CODEC_ID = 4;

const invalid = (message: string): Refusal => ({ code: ERRORS.INVALID_RECORD, message });
/** What is refused for its form, whatever the log. */
const malformed = (message: string): Refusal => ({ ...invalid(message), isUnverified: true });
const corrupt = (message: string): Refusal => ({ code: ERRORS.CORRUPT_MESSAGE, message });

/** Checks what a producer sent for one partition, as Kafka's LogValidator does; the one batch's header when it may be appended. */
export function checkBatch(records: Buffer | null, limits: BatchLimits): BatchHeader | Refusal {
  if (records === null || records.length === 0) {
    return malformed(
      'Produce requests with version 3 and later must have exactly one record batch per partition',
    );
  }
  if (records.length > HEADER.magic && records.readInt8(HEADER.magic) !== MAGIC_V2) {
    return malformed(
      'Produce requests with version 3 and later are only allowed to contain batches with magic version 2',
    );
  }
  if (records.length < BATCH_OVERHEAD)
    return corrupt(`Batch of ${records.length} bytes is shorter than a batch header`);
  const header = readBatchHeader(records);
  if (header.bytes < BATCH_OVERHEAD || header.bytes > records.length) {
    return corrupt(`Batch claims ${header.bytes} bytes, ${records.length} were sent`);
  }
  if (header.bytes < records.length) {
    return malformed(
      'Produce requests with version 3 and later must have exactly one record batch per partition',
    );
  }
  if (header.bytes > limits.maxMessageBytes) return { code: ERRORS.MESSAGE_TOO_LARGE, message: null };
  const crc = crc32c(records, HEADER.attributes, records.length);
  if (crc !== header.crc)
    return corrupt(`Record is corrupt (stored crc = ${header.crc}, computed crc = ${crc})`);
  return checkFields(header, limits) ?? checkRecords(records, header) ?? header;
}

export function isRefusal(result: BatchHeader | Refusal): result is Refusal {
  return 'code' in result;
}

function checkFields(header: BatchHeader, limits: BatchLimits): Refusal | undefined {
  if (header.baseOffset !== 0)
    return invalid(`The baseOffset of the record batch should be 0, but it is ${header.baseOffset}`);
  if (header.isControl) return invalid('Clients are not allowed to write control records');
  const span = header.lastOffsetDelta + 1;
  if (span <= 0)
    return invalid(`Batch has an invalid offset range: last offset delta ${header.lastOffsetDelta}`);
  if (header.recordCount <= 0)
    return invalid(`Invalid reported count for record batch: ${header.recordCount}`);
  if (span !== header.recordCount) {
    return invalid(
      `Inconsistent batch offset range [0, ${header.lastOffsetDelta}] and count of records ${header.recordCount}`,
    );
  }
  if (header.producerId >= 0 && header.baseSequence < 0) {
    return invalid(
      `Invalid sequence number ${header.baseSequence} in record batch with producerId ${header.producerId}`,
    );
  }
  if (header.codecId > MAX_CODEC_ID) {
    return {
      code: ERRORS.UNSUPPORTED_COMPRESSION_TYPE,
      message: `Unknown compression type id: ${header.codecId}`,
    };
  }
  if (header.maxTimestamp > limits.latestTimestamp) {
    return {
      code: ERRORS.INVALID_TIMESTAMP,
      message: `Timestamp ${header.maxTimestamp} is too far in the future`,
    };
  }
  return undefined;
}

/** Steps over the records by their lengths: as many as claimed, ending exactly at the end. Compressed ones are taken on trust. */
function checkRecords(batch: Buffer, header: BatchHeader): Refusal | undefined {
  if (header.codecId !== 0) return undefined;
  let at = BATCH_OVERHEAD;
  for (let left = header.recordCount; left > 0; left--) {
    let length = 0;
    let shift = 0;
    let byte = 0x80;
    while (byte >= 0x80 && shift < 35) {
      if (at >= batch.length)
        return invalid(`Batch claims ${header.recordCount} records but ends before the last ${left}`);
      byte = batch[at++]!;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    }
    length = (length >>> 1) ^ -(length & 1);
    at += length;
    if (length < 0 || at > batch.length)
      return invalid(`Found invalid record size ${length} in a batch of ${batch.length} bytes`);
  }
  if (at !== batch.length)
    return invalid(`Incorrect declared batch size: ${batch.length - at} bytes follow the last record`);
  return undefined;
}
