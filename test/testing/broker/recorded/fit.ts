// A body for every version, cut to what one of them carries.
import type { FieldSpec, Table } from '../../../../src/core/protocol/schema.ts';

const carries = ({ versions }: FieldSpec, version: number): boolean =>
  version >= versions.from && version <= versions.to;

/** Leaves out the fields that this version does not have. */
export function fit(table: Table, body: unknown, version: number): unknown {
  if (body === null || typeof body !== 'object') return body;
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    const spec = table[name]?.spec;
    if (spec === undefined) throw new Error(`there is no field '${name}'`);
    if (carries(spec, version)) kept[name] = fitValue(spec, value, version);
  }
  return kept;
}

function fitValue(spec: FieldSpec, value: unknown, version: number): unknown {
  if (spec.type === 'array' && Array.isArray(value))
    return value.map((one) => (spec.element === undefined ? one : fitValue(spec.element, one, version)));
  return spec.type === 'struct' && spec.table !== undefined ? fit(spec.table, value, version) : value;
}
