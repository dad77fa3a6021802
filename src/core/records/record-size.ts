import { BATCH_OVERHEAD } from './batch-header.ts';
import { headersFrom, type HeaderList } from './headers.ts';
import type { Bytes, HeadersInit } from './types.ts';
import { highHalf, sizeOfVarint, sizeOfVarlong } from './varint.ts';

/** Bytes of `value` once written; -1 for null. */
export function bytesLength(value: Bytes | null): number {
  if (value === null) return -1;
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

/** Bytes of a list of headers in a record, its count included. */
export function headersSize(headers: HeaderList): number {
  const { names, values } = headers;
  let size = sizeOfVarint(names.length);
  for (let at = 0; at < names.length; at++) {
    const nameLength = Buffer.byteLength(names[at]!);
    const valueLength = bytesLength(values[at]!);
    size += sizeOfVarint(nameLength) + nameLength + sizeOfVarint(valueLength) + Math.max(valueLength, 0);
  }
  return size;
}

/**
 * Exact bytes of a record in a batch, its length prefix included, before compression. The deltas are those to the batch's first record;
 * without them it is the size of a batch's first record.
 */
export function recordSize(
  key: Bytes | null,
  value: Bytes | null,
  headers?: HeadersInit,
  offsetDelta = 0,
  timestampDelta = 0,
): number {
  const keyLength = bytesLength(key);
  const valueLength = bytesLength(value);
  const body =
    1 +
    sizeOfVarlong(highHalf(timestampDelta), timestampDelta >>> 0) +
    sizeOfVarint(offsetDelta) +
    sizeOfVarint(keyLength) +
    Math.max(keyLength, 0) +
    sizeOfVarint(valueLength) +
    Math.max(valueLength, 0) +
    headersSize(headersFrom(headers));
  return sizeOfVarint(body) + body;
}

/** Exact bytes of a batch with this one record, before compression: what is compared with `max.request.size`. */
export function singleRecordBatchSize(key: Bytes | null, value: Bytes | null, headers?: HeadersInit): number {
  return BATCH_OVERHEAD + recordSize(key, value, headers);
}
