// Records that later ones have passed on the way to a window, in a stage that does not keep their order. Windows may be closed and done without them; read again after a
// restart, they must not be taken for part of what is done.
import { handleOf, visitOffsets, type Delivery } from '../../flow/delivery.ts';
import type { Settlement } from '../../flow/settlement.ts';

export class PassedRecords {
  private readonly settlement: Settlement;
  private readonly before: ReadonlySet<number> | undefined;
  private readonly passed: Set<number>;
  private newest = -1;

  /** `before` were missing when the claim started. */
  constructor(settlement: Settlement, before: readonly number[]) {
    this.settlement = settlement;
    this.before = before.length > 0 ? new Set(before) : undefined;
    this.passed = new Set(before);
  }

  /** A value comes, the newest of whose records has that offset. */
  came(delivery: Delivery<unknown>, offset: number): void {
    const { newest } = this;
    if (offset <= newest) return;
    this.newest = offset;
    if (offset === newest + 1) return;
    const skipped = this.settlement.unsettledBetween?.(newest + 1, offset) ?? [];
    if (skipped.length === 0) return;
    for (const one of skipped) this.passed.add(one);
    visitOffsets(handleOf(delivery).behind, (own) => this.passed.delete(own));
  }

  /** It is in its windows now. */
  taken(offset: number): void {
    if (this.passed.size > 0) this.passed.delete(offset);
  }

  /** It had not come before the claim started, though windows were closed by later ones. */
  wasMissing(offset: number): boolean {
    return this.before?.has(offset) === true;
  }

  /**
   * For a commit at `offset`, with windows closed by values up to `end`: those that have not come, or not got into a window, and are not settled. Ascending.
   */
  missingAt(offset: number, end: number): number[] {
    const missing: number[] = [];
    for (const one of this.passed) {
      const isAhead = one > this.newest;
      if (one < offset || (!isAhead && !this.isUnsettled(one))) this.passed.delete(one);
      else if (one <= end || this.wasMissing(one)) missing.push(one);
    }
    return missing.sort((a, b) => a - b);
  }

  private isUnsettled(offset: number): boolean {
    return (this.settlement.unsettledBetween?.(offset, offset + 1).length ?? 0) > 0;
  }
}
