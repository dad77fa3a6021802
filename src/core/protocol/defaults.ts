// What the compiled codecs and the interpreter must agree on beyond the order of fields: defaults and least sizes.
import { inRange, type FieldSpec, type Table } from './schema.ts';

/** The fields of a table that `version` carries in their place, in wire order. */
export function placedFields(table: Table, version: number): [string, FieldSpec][] {
  return specs(table).filter(([, spec]) => spec.tag < 0 && inRange(spec.versions, version));
}

/** The fields of a table that `version` carries in the tagged section, by tag. */
export function taggedFields(table: Table, version: number): [string, FieldSpec][] {
  return specs(table)
    .filter(([, spec]) => spec.tag >= 0 && inRange(spec.versions, version))
    .sort(([, a], [, b]) => a.tag - b.tag);
}

export function specs(table: Table): [string, FieldSpec][] {
  return Object.entries(table).map(([name, field]) => [name, field.spec]);
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

const FIXED_SIZES = {
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
} as const;

/** The least bytes a value of `spec` can take: an array cannot hold more elements than fit the rest of the message. Never 0. */
export function minSize(spec: FieldSpec, version: number, flexible: boolean): number {
  switch (spec.type) {
    case 'string':
      return flexible ? 1 : 2;
    case 'bytes':
    case 'records':
    case 'array':
      return flexible ? 1 : 4;
    case 'struct': {
      if (inRange(spec.nullable, version)) return 1;
      const fields = placedFields(spec.table!, version);
      const least = fields.reduce(
        (sum, [, field]) => sum + minSize(field, version, flexible),
        flexible ? 1 : 0,
      );
      return Math.max(1, least);
    }
    default:
      return FIXED_SIZES[spec.type];
  }
}
