import { UsageError } from '../errors.ts';

/** What records may be ordered or grouped by; bytes are compared by content. */
export type Key = string | number | bigint | boolean | Uint8Array | null | undefined;

/** Throws a UsageError for what cannot be compared: two objects are never equal, so ordering by one would order nothing. */
export function checkKey(operator: string, key: unknown): Key {
  const kind = typeof key;
  if (
    kind === 'function' ||
    kind === 'symbol' ||
    (kind === 'object' && key !== null && !(key instanceof Uint8Array))
  ) {
    throw new UsageError(
      `${operator}: a key is a string, number, bigint, boolean, Uint8Array, null or undefined, not ${Object.prototype.toString.call(key)}`,
      'key',
    );
  }
  return key as Key;
}

/** A map by {@link Key}. */
export class KeyMap<V> {
  private readonly plain = new Map<Key, V>();
  private readonly byContent = new Map<string, V>();

  get size(): number {
    return this.plain.size + this.byContent.size;
  }

  get(key: Key): V | undefined {
    return key instanceof Uint8Array ? this.byContent.get(contentOf(key)) : this.plain.get(key);
  }

  set(key: Key, value: V): void {
    if (key instanceof Uint8Array) this.byContent.set(contentOf(key), value);
    else this.plain.set(key, value);
  }

  delete(key: Key): void {
    if (key instanceof Uint8Array) this.byContent.delete(contentOf(key));
    else this.plain.delete(key);
  }

  clear(): void {
    this.plain.clear();
    this.byContent.clear();
  }

  *values(): IterableIterator<V> {
    yield* this.plain.values();
    yield* this.byContent.values();
  }
}

/** One character per byte, so that equal bytes are equal strings. */
export function contentOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
