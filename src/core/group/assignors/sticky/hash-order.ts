// The order in which Java walks its hash tables. Kafka's sticky assignor walks members by it; the same order gives the same division, whoever leads.

const FIRST_CAPACITY = 16;
const LOAD = 0.75;

/** Java's `String.hashCode`. */
export function textHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return hash;
}

/** The keys as a Java `HashMap` gives them back that they were put into in this order. */
export function hashOrder<K>(keys: readonly K[], hashOf: (key: K) => number): K[] {
  const set = new HashedSet(hashOf);
  for (const key of keys) set.add(key);
  return set.inOrder();
}

/** A set of Java's, as far as its order goes. */
export class HashedSet<K> {
  private readonly hashOf: (key: K) => number;
  private readonly keys = new Set<K>();
  private capacity = FIRST_CAPACITY;

  constructor(hashOf: (key: K) => number) {
    this.hashOf = hashOf;
  }

  get size(): number {
    return this.keys.size;
  }

  add(key: K): void {
    this.keys.add(key);
    while (this.keys.size > this.capacity * LOAD) this.capacity *= 2;
  }

  delete(key: K): void {
    this.keys.delete(key);
  }

  inOrder(): K[] {
    const buckets = [...this.keys].map((key) => ({ key, bucket: this.bucket(key) }));
    return buckets.sort((a, b) => a.bucket - b.bucket).map(({ key }) => key);
  }

  private bucket(key: K): number {
    const hash = this.hashOf(key);
    return (hash ^ (hash >>> 16)) & (this.capacity - 1);
  }
}
