import { HeaderList } from './headers.ts';

/** Reads the headers at `at`, where their count stands; a BatchCursor has checked them before. */
export function parseHeaders(data: Buffer, at: number): HeaderList {
  const names: string[] = [];
  const values: (Buffer | null)[] = [];
  const reader = { data, at };
  for (let left = readChecked(reader); left > 0; left--) {
    const nameLength = readChecked(reader);
    names.push(data.toString('utf8', reader.at, reader.at + nameLength));
    reader.at += nameLength;
    const valueLength = readChecked(reader);
    values.push(valueLength < 0 ? null : data.subarray(reader.at, reader.at + valueLength));
    if (valueLength > 0) reader.at += valueLength;
  }
  return new HeaderList(names, values);
}

function readChecked(reader: { data: Buffer; at: number }): number {
  let zigzag = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.data[reader.at++]!;
    zigzag |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1);
  }
}
