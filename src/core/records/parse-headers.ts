import { afterVarint, varintAt } from './checked-varint.ts';
import { emptyHeaders, HeaderList } from './headers.ts';

/** Reads the headers at `at`, where their count stands; a BatchCursor has checked them before. */
export function parseHeaders(data: Buffer, at: number): HeaderList {
  const count = varintAt(data, at);
  if (count === 0) return emptyHeaders;
  at = afterVarint(data, at);
  const names: string[] = [];
  const values: (Buffer | null)[] = [];
  for (let left = count; left > 0; left--) {
    const nameStart = afterVarint(data, at);
    const nameEnd = nameStart + varintAt(data, at);
    names.push(data.toString('utf8', nameStart, nameEnd));
    const length = varintAt(data, nameEnd);
    const start = afterVarint(data, nameEnd);
    values.push(length < 0 ? null : data.subarray(start, start + length));
    at = length < 0 ? start : start + length;
  }
  return new HeaderList(names, values);
}
