// Confluent's wire format: a zero, the schema's number in four bytes, the data. Or the schema's GUID in a header, and the data alone.
import type { Buffer } from 'node:buffer';
import type { RecordHeaders } from '../core/records/types.ts';
import type { SerdeContext } from '../serdes/serde.ts';
import { SchemaError } from '../serdes/json.ts';

/** What stands before the data. */
export const PREFIX_BYTES = 5;
const MAGIC = 0;
const HEADER_MAGIC_ID = 0;
const HEADER_MAGIC_GUID = 1;
const GUID_BYTES = 16;

/** Which schema some bytes were written with, and where they begin. */
export interface SchemaMark {
  /** A number, or a GUID. */
  readonly id: number | string;
  readonly start: number;
}

function guidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function markInHeaders(headers: RecordHeaders, part: 'key' | 'value'): SchemaMark | undefined {
  const header = headers.get(part === 'key' ? '__key_schema_id' : '__value_schema_id');
  if (header === null || header === undefined) return undefined;
  if (header[0] === HEADER_MAGIC_GUID && header.length >= 1 + GUID_BYTES)
    return { id: guidOf(header.subarray(1, 1 + GUID_BYTES)), start: 0 };
  if (header[0] === HEADER_MAGIC_ID && header.length >= PREFIX_BYTES)
    return { id: header.readUInt32BE(1), start: 0 };
  return undefined;
}

/** @throws SchemaError for bytes that name no schema */
export function markOf(data: Buffer, context: SerdeContext): SchemaMark {
  if (data.length >= PREFIX_BYTES && data[0] === MAGIC) {
    const inHeaders = markInHeaders(context.headers, context.part);
    return inHeaders ?? { id: data.readUInt32BE(1), start: PREFIX_BYTES };
  }
  const mark = markInHeaders(context.headers, context.part);
  if (mark !== undefined) return mark;
  throw new SchemaError(
    `the ${context.part} of a record of topic '${context.topic}' was not written with a schema registry: ` +
      (data.length < PREFIX_BYTES ? `it has ${data.length} bytes` : `it begins with ${data[0]}, not 0`),
    [],
  );
}

/** Writes what stands before the data. */
export function writePrefix(into: Buffer, id: number): void {
  into[0] = MAGIC;
  into.writeUInt32BE(id, 1);
}
