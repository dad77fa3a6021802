/** Items by when they are due; of those that are due together, the one that was put in first comes first. */
export class DueHeap<T> {
  private entries: { readonly dueMs: number; readonly order: number; readonly item: T }[] = [];
  private count = 0;

  get size(): number {
    return this.entries.length;
  }

  /** When the first is due; Infinity for none. */
  get dueMs(): number {
    return this.entries[0]?.dueMs ?? Infinity;
  }

  put(dueMs: number, item: T): void {
    const { entries } = this;
    const entry = { dueMs, order: this.count++, item };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  take(): T | undefined {
    const { entries } = this;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined) return undefined;
    if (entries.length > 0) this.sink(last);
    return first.item;
  }

  some(test: (item: T) => boolean): boolean {
    return this.entries.some(({ item }) => test(item));
  }

  /** Takes out those for which `test` holds, and answers with them in their order. */
  takeAll(test: (item: T) => boolean): T[] {
    const taken = this.entries.filter(({ item }) => test(item)).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    if (taken.length === 0) return [];
    const out = new Set(taken);
    // A sorted list is a heap.
    this.entries = this.entries.filter((entry) => !out.has(entry)).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    return taken.map(({ item }) => item);
  }

  private sink(entry: { readonly dueMs: number; readonly order: number; readonly item: T }): void {
    const { entries } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      const right = child + 1;
      if (right < entries.length && isBefore(entries[right]!, entries[child]!)) child = right;
      if (!isBefore(entries[child]!, entry)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = entry;
  }
}

function isBefore(
  a: { readonly dueMs: number; readonly order: number },
  b: { readonly dueMs: number; readonly order: number },
): boolean {
  return a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs;
}
