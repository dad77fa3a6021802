// The slow reference: walks the table for every message. The compiled codecs are checked against it, and it takes their place where the
// process forbids code generation (`node --disallow-code-generation-from-strings`).
import { UnsupportedVersionError, UsageError } from '../../errors.ts';
import { defaultOf, isDefault, minSize, placedFields, specs, taggedFields } from './defaults.ts';
import type { Reader } from './reader.ts';
import { inRange, type FieldSpec, type Table } from './schema.ts';
import { unfit, type Writer } from './writer.ts';

/** A table in one version, with the way of its lengths and tags. */
export interface Layout {
  readonly table: Table;
  readonly version: number;
  readonly flexible: boolean;
}

type Fields = Record<string, unknown>;

export function interpretDecode(layout: Layout, reader: Reader): Fields {
  const { table, version, flexible } = layout;
  const value: Fields = {};
  for (const [name, spec] of specs(table)) value[name] = defaultOf(spec);
  for (const [name, spec] of placedFields(table, version)) value[name] = read(spec, layout, reader, name);
  if (!flexible) return value;
  const tagged = new Map(taggedFields(table, version).map((entry) => [entry[1].tag, entry]));
  for (let left = reader.uvarint(); left > 0; left--) {
    const tag = reader.uvarint();
    const size = reader.uvarint();
    const known = tagged.get(tag);
    if (known === undefined) {
      reader.skip(size);
      continue;
    }
    const start = reader.pos;
    value[known[0]] = read(known[1], layout, reader, known[0]);
    reader.endTagged(start, size, tag);
  }
  return value;
}

function read(spec: FieldSpec, layout: Layout, reader: Reader, name: string): unknown {
  const nullable = inRange(spec.nullable, layout.version);
  const value = readNullable(spec, layout, reader, nullable);
  if (value === null && !nullable) reader.fail(`null in ${name}`);
  return value;
}

function readNullable(spec: FieldSpec, layout: Layout, reader: Reader, nullable: boolean): unknown {
  const { version, flexible } = layout;
  switch (spec.type) {
    case 'string':
      return flexible ? reader.nullableCompactString() : reader.nullableString();
    case 'bytes':
    case 'records':
      return flexible ? reader.nullableCompactBytes() : reader.nullableBytes();
    case 'struct':
      if (nullable && reader.int8() < 0) return null;
      return interpretDecode({ ...layout, table: spec.table! }, reader);
    case 'array': {
      const least = minSize(spec.element!, version, flexible);
      const count = flexible ? reader.compactCount(least) : reader.count(least);
      if (count < 0) return null;
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(read(spec.element!, layout, reader, 'an array'));
      return values;
    }
    default:
      return reader[spec.type]();
  }
}

/** @param path where the encoder is; when it throws, the path of the field that it refused. */
export function interpretEncode(layout: Layout, writer: Writer, value: Fields, path: string[] = []): void {
  const { table, version, flexible } = layout;
  for (const [name, spec] of specs(table)) {
    if (inRange(spec.versions, version) || spec.ignorable || isDefault(spec, value[name])) continue;
    path.push(name);
    throw notInVersion();
  }
  for (const [name, spec] of placedFields(table, version)) {
    path.push(name);
    write(spec, layout, writer, given(spec, value[name]), path);
    path.pop();
  }
  if (!flexible) return;
  const tagged = taggedFields(table, version).filter(([name, spec]) => !isDefault(spec, value[name]));
  writer.uvarint(tagged.length);
  for (const [name, spec] of tagged) {
    path.push(name);
    writer.uvarint(spec.tag);
    const start = writer.pos;
    write(spec, layout, writer, value[name], path);
    writer.endTagged(start);
    path.pop();
  }
}

function given(spec: FieldSpec, value: unknown): unknown {
  return value === undefined && spec.optional ? defaultOf(spec) : value;
}

function write(spec: FieldSpec, layout: Layout, writer: Writer, value: unknown, path: string[]): void {
  const { version, flexible } = layout;
  const nullable = inRange(spec.nullable, version);
  if (value === null && !nullable) throw nullNotAllowed();
  switch (spec.type) {
    case 'string':
      if (flexible) writer.compactString(value as string | null);
      else writer.string(value as string | null);
      break;
    case 'bytes':
    case 'records':
      if (flexible) writer.compactBytes(value as Buffer | null);
      else writer.bytes(value as Buffer | null);
      break;
    case 'struct':
      if (nullable) writer.int8(value === null ? -1 : 1);
      if (value === null) break;
      if (typeof value !== 'object') unfit('an object', value);
      interpretEncode({ ...layout, table: spec.table! }, writer, value as Fields, path);
      break;
    case 'array':
      if (value !== null && !Array.isArray(value)) unfit('an array', value);
      writeArray(spec.element!, layout, writer, value as readonly unknown[] | null, path);
      break;
    default:
      (writer[spec.type] as (value: unknown) => void).call(writer, value);
  }
}

function writeArray(
  element: FieldSpec,
  layout: Layout,
  writer: Writer,
  value: readonly unknown[] | null,
  path: string[],
): void {
  const count = value === null ? -1 : value.length;
  if (layout.flexible) writer.uvarint(count + 1);
  else writer.int32(count);
  for (let i = 0; i < count; i++) {
    path.push(`[${i}]`);
    write(element, layout, writer, value![i], path);
    path.pop();
  }
}

// What an encoder refuses beside values that do not fit their type; the compiled encoders throw the same.

export function notInVersion(): Error {
  return new UnsupportedVersionError('this version cannot carry a value other than the default');
}

export function nullNotAllowed(): Error {
  return new UsageError('null is not allowed in this version');
}
