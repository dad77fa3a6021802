// One budget of bytes for all that a consumer keeps: fetch buffers and the batches of unsettled records.

/** How far a share may grow beyond its guarantee on what others leave unused; only shares smaller than this borrow at all. */
const BORROW_UP_TO_BYTES = 4 * 1024 * 1024;
/** All borrowing together, as a part of the budget: what the budget can be exceeded by when the lenders come back. */
const BORROWED_PART = 1 / 4;

/** Pinned beyond this part of the budget, answers are copied apart; what is read ahead in full flow stays well below it. */
const CROWDED_PART = 3 / 4;

/** Divides `totalBytes` among the readers of one consumer. Counts only; it holds no memory itself. */
export class ByteBudget {
  readonly totalBytes: number;
  /** Bytes taken by all shares. */
  usedBytes = 0;
  /** Bytes that fetches under way may bring. */
  reservedBytes = 0;
  /** Bytes taken beyond guarantees. */
  borrowedBytes = 0;
  /** Of the bytes taken, those fetched and not handed over; the readers count them here. */
  bufferedBytes = 0;
  /** Memory of answers of which anything is still in use, see FramePin. */
  pinnedBytes = 0;
  private readonly shares = new Set<BudgetShare>();
  private evenShare: number;

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
    this.evenShare = totalBytes;
  }

  /** What each reader may always have, its largest batch aside. */
  get guaranteedBytes(): number {
    return this.evenShare;
  }

  /** True while so much is pinned by parts of answers that new ones are better copied out. */
  get isCrowded(): boolean {
    return this.pinnedBytes > this.totalBytes * CROWDED_PART;
  }

  get readers(): number {
    return this.shares.size;
  }

  /** Opens a share; `onRoom` is called after each release. Every share of the consumer shrinks accordingly. */
  join(onRoom: () => void): BudgetShare {
    const share = new BudgetShare(this, onRoom);
    this.shares.add(share);
    this.divide();
    return share;
  }

  /** Called by the share. */
  leave(share: BudgetShare): void {
    if (this.shares.delete(share)) this.divide();
  }

  private divide(): void {
    this.evenShare = Math.floor(this.totalBytes / Math.max(1, this.shares.size));
    this.borrowedBytes = 0;
    for (const share of this.shares) this.borrowedBytes += share.borrowedBytes();
  }
}

/** One reader's part of the budget. */
export class BudgetShare {
  usedBytes = 0;
  /** The largest batch seen lately: at least this much is guaranteed, so that any batch can come when nothing else is held. */
  batchBytes = 0;
  private readonly budget: ByteBudget;
  private readonly onRoom: () => void;

  constructor(budget: ByteBudget, onRoom: () => void) {
    this.budget = budget;
    this.onRoom = onRoom;
  }

  /** max(one batch, budget / readers). */
  get guaranteedBytes(): number {
    return Math.max(this.batchBytes, this.budget.guaranteedBytes);
  }

  /**
   * Bytes that may be asked for now: what is left of the guarantee, always; beyond it what the other shares leave unused, first come first
   * served, which the fetcher turns into round robin by asking for the least recently served first. Of the bytes taken, `retainedBytes` are
   * those of unsettled records: who has many of them does not borrow, for it could not soon give back.
   */
  room(retainedBytes: number): number {
    const budget = this.budget;
    const guaranteed = this.guaranteedBytes;
    const own = Math.max(0, guaranteed - this.usedBytes);
    const wish = BORROW_UP_TO_BYTES - Math.max(this.usedBytes, guaranteed);
    if (wish <= 0 || retainedBytes > guaranteed / 2) return own;
    const unused = budget.totalBytes - budget.usedBytes - budget.reservedBytes - own;
    const lendable = budget.totalBytes * BORROWED_PART - budget.borrowedBytes;
    return own + Math.max(0, Math.min(wish, unused, lendable));
  }

  /** True when so many bytes more, which are here but smaller now, stay inside the guarantee, or inside what nobody uses of the budget. */
  admits(bytes: number): boolean {
    const { totalBytes, usedBytes } = this.budget;
    return this.usedBytes + bytes <= this.guaranteedBytes || usedBytes + bytes <= totalBytes;
  }

  /** Counts bytes that are here already; never refuses, the asking is what is limited. */
  take(bytes: number): void {
    this.change(bytes);
  }

  release(bytes: number): void {
    if (bytes === 0) return;
    this.change(-bytes);
    this.onRoom();
  }

  /** Gives everything back; the share is not used again. */
  leave(): void {
    this.change(-this.usedBytes);
    this.budget.leave(this);
  }

  borrowedBytes(): number {
    return Math.max(0, this.usedBytes - this.budget.guaranteedBytes);
  }

  private change(bytes: number): void {
    const before = this.borrowedBytes();
    this.usedBytes += bytes;
    this.budget.usedBytes += bytes;
    this.budget.borrowedBytes += this.borrowedBytes() - before;
  }
}
