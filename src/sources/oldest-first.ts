/** A bag of offsets that knows its smallest: a heap, and how many of each there are. What is removed stays in the heap until it is on top. */
export class OldestFirst {
  private readonly heap: number[] = [];
  private readonly counts = new Map<number, number>();

  /** Different offsets. */
  get size(): number {
    return this.counts.size;
  }

  get first(): number | undefined {
    while (this.heap.length > 0 && !this.counts.has(this.heap[0]!)) this.drop();
    return this.heap[0];
  }

  count(offset: number): number {
    return this.counts.get(offset) ?? 0;
  }

  add(offset: number): void {
    const count = this.count(offset);
    this.counts.set(offset, count + 1);
    if (count > 0) return;
    const { heap } = this;
    let at = heap.push(offset) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= offset) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = offset;
  }

  remove(offset: number): void {
    const count = this.count(offset);
    if (count > 1) this.counts.set(offset, count - 1);
    else this.counts.delete(offset);
    if (this.counts.size === 0) this.heap.length = 0;
  }

  private drop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    const end = heap.length;
    if (end === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= end) break;
      if (child + 1 < end && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
