import { specs, type NamedSpec } from './defaults.ts';
import type { Table } from './schema.ts';

const carriersOf = new WeakMap<Table, readonly NamedSpec[]>();

/** The fields of a table that are records or lead to some. */
function carriers(table: Table): readonly NamedSpec[] {
  let found = carriersOf.get(table);
  if (found === undefined) {
    found = specs(table).filter(([, spec]) => {
      const inner = spec.element?.table;
      return spec.type === 'records' || (inner !== undefined && carriers(inner).length > 0);
    });
    carriersOf.set(table, found);
  }
  return found;
}

/**
 * The bytes of all records in a value, so that the buffer of a Produce request or a Fetch response is made once at its size instead of being
 * copied as it grows. A hint: what does not fit the table counts as nothing here and is refused when it is encoded. Records of `below` bytes and more do not count.
 */
export function recordBytes(table: Table, value: unknown, below = Infinity): number {
  let bytes = 0;
  for (const [name, spec] of carriers(table)) {
    const field = (value as Record<string, unknown> | null | undefined)?.[name];
    if (spec.type === 'records') {
      const length = (field as Uint8Array | null | undefined)?.length ?? 0;
      bytes += 8 + (length < below ? length : 0);
    } else if (Array.isArray(field))
      for (const element of field) bytes += recordBytes(spec.element!.table!, element, below);
  }
  return bytes;
}
