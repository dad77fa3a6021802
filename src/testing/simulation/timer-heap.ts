// A binary heap of timers by (due time, order of creation), so that simulated time is a total order.

export interface HeapTimer {
  readonly at: number;
  readonly sequence: number;
  /** Undefined once cancelled or run. */
  callback: (() => void) | undefined;
}

function before(a: HeapTimer, b: HeapTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}

export class TimerHeap {
  #items: HeapTimer[] = [];
  #cancelled = 0;

  /** Timers that will still run. */
  get size(): number {
    return this.#items.length - this.#cancelled;
  }

  push(timer: HeapTimer): void {
    const items = this.#items;
    let at = items.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = timer;
  }

  /** The next timer that will run, left in place. */
  peek(): HeapTimer | undefined {
    while (this.#items.length > 0 && this.#items[0]!.callback === undefined) {
      this.#removeFirst();
      this.#cancelled--;
    }
    return this.#items[0];
  }

  pop(): HeapTimer | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  cancel(timer: HeapTimer): void {
    if (timer.callback === undefined) return;
    timer.callback = undefined;
    this.#cancelled++;
    // Deadlines are mostly cancelled: without this a long simulation would keep all of them until they are due.
    if (this.#cancelled > 64 && this.#cancelled > this.#items.length / 2) this.#compact();
  }

  #compact(): void {
    const live = this.#items.filter((timer) => timer.callback !== undefined);
    live.sort((a, b) => (before(a, b) ? -1 : 1));
    this.#items = live;
    this.#cancelled = 0;
  }

  #removeFirst(): void {
    const items = this.#items;
    const last = items.pop()!;
    if (items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}
