import { UsageError } from '../../errors.ts';
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

/**
 * The list that `init` stands for: an object without its undefined values, or ordered pairs with duplicates.
 * @throws UsageError for what is neither, or has a name that is no text or a value that is not bytes, text or null.
 */
export function headersFrom(init: HeadersInit | undefined): HeaderList {
  if (init === undefined) return emptyHeaders;
  if (init instanceof HeaderList) return init;
  if (typeof init !== 'object' || init === null) throw notHeaders(init);
  const names: string[] = [];
  const values: (Bytes | null)[] = [];
  if (isPairs(init)) {
    for (const pair of init) {
      if (!Array.isArray(pair)) throw notHeaders(pair);
      const [name, value] = pair as readonly [string, Bytes | null];
      names.push(checkedName(name));
      values.push(checkedValue(name, value));
    }
  } else {
    for (const name of Object.keys(init)) {
      const value = init[name];
      if (value === undefined) continue;
      names.push(name);
      values.push(checkedValue(name, value));
    }
  }
  return names.length === 0 ? emptyHeaders : new HeaderList(names, values);
}

function isPairs(init: HeadersInit): init is Iterable<readonly [string, Bytes | null]> {
  return Symbol.iterator in init;
}

function checkedName(name: unknown): string {
  if (typeof name === 'string') return name;
  throw new UsageError(`The name of a header is text, not ${kindOf(name)}`, 'headers');
}

function checkedValue(name: string, value: unknown): Bytes | null {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) return value;
  throw new UsageError(
    `The value of header '${name}' is bytes, text or null, not ${kindOf(value)}`,
    'headers',
  );
}

function notHeaders(given: unknown): UsageError {
  return new UsageError(
    `The headers of a record are an object or a list of [name, value] pairs, not ${kindOf(given)}`,
    'headers',
  );
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
