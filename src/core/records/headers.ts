import type { Bytes, HeadersInit, RecordHeaders } from './types.ts';

function asBuffer(value: Bytes): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** An ordered list of headers, to write or as read; strings become Buffers only when they are asked for. */
export class HeaderList implements RecordHeaders {
  readonly names: readonly string[];
  readonly values: readonly (Bytes | null)[];

  constructor(names: readonly string[], values: readonly (Bytes | null)[]) {
    this.names = names;
    this.values = values;
  }

  get(name: string): Buffer | null | undefined {
    const at = this.names.lastIndexOf(name);
    return at < 0 ? undefined : this.valueAt(at);
  }

  text(name: string): string | null | undefined {
    const value = this.get(name);
    return value === null || value === undefined ? value : value.toString();
  }

  all(name: string): readonly (Buffer | null)[] {
    const found: (Buffer | null)[] = [];
    for (let at = 0; at < this.names.length; at++) if (this.names[at] === name) found.push(this.valueAt(at));
    return found;
  }

  *[Symbol.iterator](): Iterator<readonly [string, Buffer | null]> {
    for (let at = 0; at < this.names.length; at++) yield [this.names[at]!, this.valueAt(at)];
  }

  private valueAt(at: number): Buffer | null {
    const value = this.values[at];
    return value === null || value === undefined ? null : asBuffer(value);
  }
}

/** No headers; shared, so that a record without headers costs nothing. */
export const emptyHeaders = new HeaderList([], []);

/** The list that `init` stands for: an object without its undefined values, or ordered pairs with duplicates. */
export function headersFrom(init: HeadersInit | undefined): HeaderList {
  if (init === undefined) return emptyHeaders;
  if (init instanceof HeaderList) return init;
  const names: string[] = [];
  const values: (Bytes | null)[] = [];
  if (isPairs(init)) {
    for (const [name, value] of init) {
      names.push(name);
      values.push(value);
    }
  } else {
    for (const name of Object.keys(init)) {
      const value = init[name];
      if (value === undefined) continue;
      names.push(name);
      values.push(value);
    }
  }
  return names.length === 0 ? emptyHeaders : new HeaderList(names, values);
}

function isPairs(init: HeadersInit): init is Iterable<readonly [string, Bytes | null]> {
  return Symbol.iterator in init;
}
