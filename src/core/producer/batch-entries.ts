import { NumberRun } from './number-run.ts';
import type { Receipt } from './receipt.ts';

/** Whom to tell of each record of a batch. The collector copies what is in flight, so a batch of one receipt with even tags keeps only that. */
export class BatchEntries {
  private shared: Receipt | undefined;
  private mixed: Receipt[] | undefined;
  private readonly tags = new NumberRun();
  private readonly timestamps = new NumberRun();

  get count(): number {
    return this.tags.count;
  }

  push(receipt: Receipt, tag: number, timestamp: number): void {
    if (this.mixed !== undefined) this.mixed.push(receipt);
    else if (this.tags.count === 0) this.shared = receipt;
    else if (receipt !== this.shared) {
      this.mixed = new Array<Receipt>(this.tags.count).fill(this.shared!);
      this.mixed.push(receipt);
    }
    this.tags.push(tag);
    this.timestamps.push(timestamp);
  }

  receipt(index: number): Receipt {
    return this.mixed === undefined ? this.shared! : this.mixed[index]!;
  }

  /** One past the last of the neighbours from `index` on that have the same receipt. */
  runEnd(index: number): number {
    const { mixed, count } = this;
    if (mixed === undefined) return count;
    const receipt = mixed[index];
    let end = index + 1;
    while (end < count && mixed[end] === receipt) end += 1;
    return end;
  }

  tag(index: number): number {
    return this.tags.at(index);
  }

  timestamp(index: number): number {
    return this.timestamps.at(index);
  }
}
