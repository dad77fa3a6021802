/** A binary heap of items by a number; the smallest is looked at without search. */
export class EndHeap<T> {
  private readonly ends: number[] = [];
  private readonly items: T[] = [];

  /** The smallest end; Infinity when there is none. */
  get first(): number {
    return this.ends.length === 0 ? Infinity : this.ends[0]!;
  }

  push(end: number, item: T): void {
    const { ends, items } = this;
    let at = ends.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (ends[parent]! <= end) break;
      ends[at] = ends[parent]!;
      items[at] = items[parent]!;
      at = parent;
    }
    ends[at] = end;
    items[at] = item;
  }

  /** The item with the smallest end, taken out. */
  pop(): T | undefined {
    const { ends, items } = this;
    const top = items[0];
    const end = ends.pop();
    const item = items.pop();
    if (end === undefined || ends.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= ends.length) break;
      if (child + 1 < ends.length && ends[child + 1]! < ends[child]!) child++;
      if (ends[child]! >= end) break;
      ends[at] = ends[child]!;
      items[at] = items[child]!;
      at = child;
    }
    ends[at] = end;
    items[at] = item!;
    return top;
  }

  clear(): void {
    this.ends.length = 0;
    this.items.length = 0;
  }
}
