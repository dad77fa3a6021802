// One fetched batch and the memory it keeps.

import type { BudgetShare } from './byte-budget.ts';
import type { FramePin } from './frame-pin.ts';

/** Below this part of a batch in use, its survivors are worth copying off it. */
const SPARSE_PART = 1 / 8;

/** Counts what is still needed of a batch and gives its bytes back to the budget when that is nothing. */
export class BatchHold {
  /** Bytes counted in the share for this batch. */
  chargedBytes: number;
  /** Records handed over and not settled. */
  unsettled = 0;
  /** Their bytes. */
  unsettledBytes = 0;
  /** Sequence of the first record handed over, and one past the last. */
  firstSequence = -1;
  endSequence = -1;
  /** Its survivors have memory of their own. */
  compacted = false;
  /** Nothing of it is needed any more. */
  freed = false;
  /** More of its records may be handed over. */
  private open = true;
  private readonly share: BudgetShare;
  private pin: FramePin | undefined;

  /** `chargedBytes` must have been taken from `share` already; `pin` is that of the answer the batch is a view of. */
  constructor(share: BudgetShare, chargedBytes: number, pin?: FramePin) {
    this.share = share;
    this.chargedBytes = chargedBytes;
    this.pin = pin?.retain();
  }

  /** True when most of the batch is kept for a few records only. */
  get sparse(): boolean {
    return (
      !this.open && !this.freed && !this.compacted && this.unsettledBytes < this.chargedBytes * SPARSE_PART
    );
  }

  added(sequence: number, bytes: number): void {
    if (this.firstSequence < 0) this.firstSequence = sequence;
    this.endSequence = sequence + 1;
    this.unsettled += 1;
    this.unsettledBytes += bytes;
  }

  settled(bytes: number): void {
    this.unsettled -= 1;
    this.unsettledBytes -= bytes;
    if (this.open) return;
    if (this.unsettled === 0) this.free();
    else if (this.compacted) this.giveBack(bytes);
  }

  /** No more of its records will be handed over. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    if (this.unsettled === 0) this.free();
  }

  /** The survivors were copied: only their own bytes count from now on. */
  compactedNow(): void {
    this.compacted = true;
    this.unpin();
    this.giveBack(this.chargedBytes - this.unsettledBytes);
  }

  /** Gives all of it back, whatever is unsettled. */
  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.open = false;
    this.unpin();
    this.giveBack(this.chargedBytes);
  }

  private unpin(): void {
    this.pin?.release();
    this.pin = undefined;
  }

  private giveBack(bytes: number): void {
    this.chargedBytes -= bytes;
    this.share.release(bytes);
  }
}
