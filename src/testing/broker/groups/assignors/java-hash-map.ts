// Kafka's assignors go through Java's hash maps and hand out partitions in the order in which those iterate. To assign as Kafka does, this order
// is needed: by bucket, and within a bucket as chained. (Java's trees of eight and more in a bucket keep that order too.)

const DEFAULT_CAPACITY = 16;
const LOAD_FACTOR = 0.75;

/** A map that iterates as `java.util.HashMap` does. */
export class JavaHashMap<K, V> {
  readonly #hash: (key: K) => number;
  /** In an order in which those of one bucket are as Java chains them. */
  #entries = new Map<K, V>();
  #capacity: number;

  constructor(hash: (key: K) => number, initialCapacity = DEFAULT_CAPACITY) {
    this.#hash = hash;
    this.#capacity = powerOfTwo(initialCapacity);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** `put`: at the end of its bucket; grows when it is over its threshold then. */
  set(key: K, value: V): void {
    this.#entries.set(key, value);
    if (this.#isOverThreshold) this.#capacity *= 2;
  }

  /** `computeIfAbsent` of a key that is not there: at the head of its bucket; grows when it was over its threshold before. */
  setAbsent(key: K, value: V): void {
    if (this.#isOverThreshold) this.#capacity *= 2;
    this.#entries = new Map([[key, value], ...this.#entries]);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  get #isOverThreshold(): boolean {
    return this.#entries.size > Math.floor(this.#capacity * LOAD_FACTOR);
  }

  keys(): K[] {
    const mask = this.#capacity - 1;
    const bucketed = Array.from(this.#entries.keys(), (key): [number, K] => {
      const hash = this.#hash(key);
      return [(hash ^ (hash >>> 16)) & mask, key];
    });
    return bucketed.sort((a, b) => a[0] - b[0]).map(([, key]) => key);
  }
}

/** The capacity that Java gives a set made of so many elements. */
export function capacityOfCopy(size: number): number {
  return Math.max(Math.floor(size / LOAD_FACTOR) + 1, DEFAULT_CAPACITY);
}

/** `String.hashCode()`. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/** The hash of Kafka's `Uuid`, given in its base64url text. */
export function uuidHash(uuid: string): number {
  const bytes = Buffer.from(uuid, 'base64url');
  return bytes.readInt32BE(0) ^ bytes.readInt32BE(4) ^ bytes.readInt32BE(8) ^ bytes.readInt32BE(12);
}

/** `Integer.hashCode()`. */
export function intHash(value: number): number {
  return value;
}

function powerOfTwo(atLeast: number): number {
  let capacity = 1;
  while (capacity < atLeast) capacity *= 2;
  return capacity;
}
