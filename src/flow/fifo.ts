const INITIAL = 16;
const KEPT_WHEN_EMPTY = 1_024;

/** A first-in, first-out queue in a ring: no allocation in steady use, and it keeps nothing it gave out. */
export class Fifo<T> {
  private ring: (T | undefined)[] = [];
  private head = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(item: T): void {
    if (this.count === this.ring.length) this.grow();
    this.ring[(this.head + this.count) & (this.ring.length - 1)] = item;
    this.count++;
  }

  /** The next one, without taking it. */
  peek(): T | undefined {
    return this.count === 0 ? undefined : this.ring[this.head];
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.ring[this.head];
    this.ring[this.head] = undefined;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.count--;
    // A long queue is the exception, and should not stay as large as it was once.
    if (this.count === 0 && this.ring.length > KEPT_WHEN_EMPTY) this.ring = [];
    return item;
  }

  /** True when `test` holds for one of them, from the first on. */
  some(test: (item: T) => boolean): boolean {
    for (let at = 0; at < this.count; at++) {
      if (test(this.ring[(this.head + at) & (this.ring.length - 1)] as T)) return true;
    }
    return false;
  }

  // Capacities are powers of two, so that a place is a mask away.
  private grow(): void {
    const grown = new Array<T | undefined>(Math.max(INITIAL, this.ring.length * 2)).fill(undefined);
    for (let at = 0; at < this.count; at++) grown[at] = this.ring[(this.head + at) & (this.ring.length - 1)];
    this.ring = grown;
    this.head = 0;
  }
}
