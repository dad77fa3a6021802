// Sizes by sequence number, without garbage: numbers come in order and mostly go in order, so a ring holds them. What stays behind while very many
// others come and go moves to a map, so that one that is stuck costs no memory for those after it.

const INITIAL_CAPACITY = 1_024;
const MAX_CAPACITY = 65_536;
const GONE = -1;

/** What each value in flight counts for. */
export class SizeRing {
  private sizes = new Float64Array(INITIAL_CAPACITY);
  private mask = INITIAL_CAPACITY - 1;
  private head = 0;
  private tail = 0;
  private readonly stragglers = new Map<number, number>();

  /** Enters the size, not negative, of `sequence`, which is one more than the one before; the first is 0. */
  add(sequence: number, size: number): void {
    if (sequence - this.head > this.mask) this.makeRoom();
    this.sizes[sequence & this.mask] = size;
    this.tail = sequence + 1;
  }

  /** Takes out the size of `sequence`; undefined when it is not there (any more). */
  take(sequence: number): number | undefined {
    if (sequence < this.head) return this.takeStraggler(sequence);
    if (sequence >= this.tail) return undefined;
    const at = sequence & this.mask;
    const size = this.sizes[at]!;
    if (size === GONE) return undefined;
    this.sizes[at] = GONE;
    if (sequence === this.head) this.advance();
    return size;
  }

  private takeStraggler(sequence: number): number | undefined {
    const size = this.stragglers.get(sequence);
    if (size !== undefined) this.stragglers.delete(sequence);
    return size;
  }

  private advance(): void {
    const { sizes, mask, tail } = this;
    let head = this.head + 1;
    while (head < tail && sizes[head & mask] === GONE) head++;
    this.head = head;
  }

  private makeRoom(): void {
    if (this.mask + 1 === MAX_CAPACITY) {
      this.stragglers.set(this.head, this.sizes[this.head & this.mask]!);
      this.advance();
      return;
    }
    const mask = this.mask * 2 + 1;
    const sizes = new Float64Array(mask + 1);
    for (let sequence = this.head; sequence < this.tail; sequence++)
      sizes[sequence & mask] = this.sizes[sequence & this.mask]!;
    this.mask = mask;
    this.sizes = sizes;
  }
}
