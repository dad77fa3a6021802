// What the compiled codecs and the interpreter must agree on beyond the order of fields: defaults and least sizes.
import { inRange, type FieldSpec, type Table } from './schema.ts';

export type NamedSpec = readonly [name: string, spec: FieldSpec];

interface Fields {
  readonly placed: readonly NamedSpec[];
  readonly tagged: readonly NamedSpec[];
}

/** What was worked out of a table so far, by version: the interpreter asks for every struct of every message. */
const fieldsOf = new WeakMap<Table, Fields[]>();
const specsOf = new WeakMap<Table, readonly NamedSpec[]>();

/** The fields of a table that `version` carries in their place, in wire order. */
export function placedFields(table: Table, version: number): readonly NamedSpec[] {
  return fieldsIn(table, version).placed;
}

/** The fields of a table that `version` carries in the tagged section, by tag. */
export function taggedFields(table: Table, version: number): readonly NamedSpec[] {
  return fieldsIn(table, version).tagged;
}

/** All fields of a table in wire order. */
export function specs(table: Table): readonly NamedSpec[] {
  let all = specsOf.get(table);
  if (all === undefined) {
    all = Object.entries(table).map(([name, field]) => [name, field.spec]);
    specsOf.set(table, all);
  }
  return all;
}

function fieldsIn(table: Table, version: number): Fields {
  let versions = fieldsOf.get(table);
  if (versions === undefined) fieldsOf.set(table, (versions = []));
  return (versions[version] ??= splitFields(table, version));
}

function splitFields(table: Table, version: number): Fields {
  const present = specs(table).filter(([, spec]) => inRange(spec.versions, version));
  return {
    placed: present.filter(([, spec]) => spec.tag < 0),
    tagged: present.filter(([, spec]) => spec.tag >= 0).sort(([, a], [, b]) => a.tag - b.tag),
  };
}

/** A fresh default value. */
export function defaultOf(spec: FieldSpec): unknown {
  if (spec.default === null) return null;
  if (spec.type === 'array') return [];
  if (spec.type !== 'struct') return spec.default;
  return Object.fromEntries(specs(spec.table!).map(([name, field]) => [name, defaultOf(field)]));
}

/** True for the default and for a value that is left out. */
export function isDefault(spec: FieldSpec, value: unknown): boolean {
  if (value === undefined) return true;
  if (spec.default === null || value === null) return value === spec.default;
  if (spec.type === 'array' || spec.type === 'bytes' || spec.type === 'records') {
    return (value as { readonly length: number }).length === 0;
  }
  if (spec.type !== 'struct') return value === spec.default;
  const fields = value as Record<string, unknown>;
  return specs(spec.table!).every(([name, field]) => isDefault(field, fields[name]));
}

const FIXED_SIZES: Partial<Record<FieldSpec['type'], number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  offset: 8,
  timestamp: 8,
  float64: 8,
  uuid: 16,
};

/** The bytes a scalar always takes; 0 for what has a length or fields of its own. */
export function fixedSize(spec: FieldSpec): number {
  return FIXED_SIZES[spec.type] ?? 0;
}

/** The least bytes a value of `spec` can take: an array cannot hold more elements than fit the rest of the message. Never 0. */
export function minSize(spec: FieldSpec, version: number, flexible: boolean): number {
  const fixed = fixedSize(spec);
  if (fixed > 0) return fixed;
  if (spec.type === 'string') return flexible ? 1 : 2;
  if (spec.type !== 'struct') return flexible ? 1 : 4;
  if (inRange(spec.nullable, version)) return 1;
  const fields = placedFields(spec.table!, version);
  const least = fields.reduce((sum, [, field]) => sum + minSize(field, version, flexible), flexible ? 1 : 0);
  return Math.max(1, least);
}
