// Confluent's wire format: a zero, the schema's number in four bytes, the data. Or the schema's GUID in a header, and the data alone; as its clients do, a one and
// the GUID are read before the data too.
import type { Buffer } from 'node:buffer';
import type { RecordHeaders } from '../core/records/types.ts';
import type { SerdeContext } from '../serdes/serde.ts';
import { SchemaError } from '../serdes/json.ts';

/** What stands before the data. */
export const PREFIX_BYTES = 5;
const MAGIC = 0;
const MAGIC_GUID = 1;
const GUID_PREFIX_BYTES = 17;

/** Which schema some bytes were written with, and where they begin. */
export interface SchemaMark {
  /** A number, or a GUID. */
  readonly id: number | string;
  readonly start: number;
}

function guidIn(bytes: Buffer): string {
  const hex = bytes.toString('hex', 1, GUID_PREFIX_BYTES);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What `bytes` begin with, and how much of them that is. */
function markIn(bytes: Buffer): SchemaMark | undefined {
  if (bytes[0] === MAGIC && bytes.length >= PREFIX_BYTES)
    return { id: bytes.readUInt32BE(1), start: PREFIX_BYTES };
  if (bytes[0] === MAGIC_GUID && bytes.length >= GUID_PREFIX_BYTES)
    return { id: guidIn(bytes), start: GUID_PREFIX_BYTES };
  return undefined;
}

function markInHeaders(headers: RecordHeaders, part: 'key' | 'value'): SchemaMark | undefined {
  const header = headers.get(part === 'key' ? '__key_schema_id' : '__value_schema_id');
  const mark = header === null || header === undefined ? undefined : markIn(header);
  return mark === undefined ? undefined : { id: mark.id, start: 0 };
}

/** @throws SchemaError for bytes that name no schema */
export function markOf(data: Buffer, context: SerdeContext): SchemaMark {
  const mark = markInHeaders(context.headers, context.part) ?? markIn(data);
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
