// The library believes the counts of arrays and maps, and would go on for ever on a few hostile bytes. So those are gone through first.
import type { Buffer } from 'node:buffer';
import type { AvroParts, AvroType } from './avro-library.ts';

/** Items that take no bytes, such as null, that one value may have beyond its size. */
const MAX_EMPTY_ITEMS = 65_536;

class Cursor {
  readonly data: Buffer;
  at: number;
  private items: number;

  constructor(data: Buffer, at: number) {
    this.data = data;
    this.at = at;
    this.items = data.length - at + MAX_EMPTY_ITEMS;
  }

  skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.data.length) throw new RangeError('the data ends too early');
  }

  item(): void {
    if (--this.items < 0) throw new RangeError('a collection has more items than there are bytes');
  }

  /** A zigzag number; one that is too large for any length is refused. */
  long(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.data[this.at];
      if (byte === undefined) throw new RangeError('the data ends too early');
      this.at++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new RangeError('a number has more than ten bytes');
  }
}

type Walk = (cursor: Cursor) => void;

const skipLong: Walk = (cursor) => void cursor.long();

function skipBytes(cursor: Cursor): void {
  const length = cursor.long();
  if (length < 0) throw new RangeError('a length is negative');
  cursor.skip(length);
}

function blocks(item: Walk): Walk {
  return (cursor) => {
    for (let count = cursor.long(); count !== 0; count = cursor.long()) {
      // A negative count is followed by the block's size.
      if (count < 0) cursor.long();
      for (let left = Math.abs(count); left > 0; left--) {
        cursor.item();
        item(cursor);
      }
    }
  };
}

function simple(type: AvroType): Walk | undefined {
  switch (type.typeName) {
    case 'null':
      return () => undefined;
    case 'boolean':
      return (cursor) => cursor.skip(1);
    case 'float':
      return (cursor) => cursor.skip(4);
    case 'double':
      return (cursor) => cursor.skip(8);
    case 'bytes':
    case 'string':
      return skipBytes;
    case 'fixed': {
      const { size } = type as AvroParts;
      return (cursor) => cursor.skip(size);
    }
    case 'int':
    case 'long':
    case 'enum':
    case 'abstract:long':
      return skipLong;
    default:
      return undefined;
  }
}

class Walks {
  hasCollections = false;
  private readonly made = new Map<AvroType, Walk>();

  of(type: AvroType): Walk {
    const known = this.made.get(type);
    if (known !== undefined) return known;
    // A record may have itself among its fields.
    this.made.set(type, (cursor) => walk(cursor));
    const walk: Walk = this.make(type);
    this.made.set(type, walk);
    return walk;
  }

  private make(type: AvroType): Walk {
    const { typeName } = type;
    const parts = type as AvroParts;
    if (typeName.startsWith('logical:')) return this.of(parts.underlyingType);
    if (typeName.startsWith('union:')) return this.union(parts.types.map((branch) => this.of(branch)));
    if (typeName === 'array' || typeName === 'map') this.hasCollections = true;
    if (typeName === 'array') return blocks(this.of(parts.itemsType));
    if (typeName === 'map') {
      const value = this.of(parts.valuesType);
      return blocks((cursor) => {
        skipBytes(cursor);
        value(cursor);
      });
    }
    if (typeName === 'record' || typeName === 'error') {
      const fields = parts.fields.map((field) => this.of(field.type));
      return (cursor) => {
        for (const field of fields) field(cursor);
      };
    }
    const walk = simple(type);
    if (walk !== undefined) return walk;
    throw new TypeError(`Avro type ${typeName} is not known`);
  }

  private union(branches: readonly Walk[]): Walk {
    return (cursor) => {
      const branch = branches[cursor.long()];
      if (branch === undefined) throw new RangeError('a union has no such branch');
      branch(cursor);
    };
  }
}

/** Goes through data of this type, in time bounded by its size, and throws where it is not that; undefined for types without collections, which need no look. */
export function walkOf(type: AvroType): ((data: Buffer, at: number) => void) | undefined {
  const walks = new Walks();
  const walk = walks.of(type);
  if (!walks.hasCollections) return undefined;
  return (data, at) => walk(new Cursor(data, at));
}
