// The memory of one answer, which lives as long as anything cut from it.

import type { ByteBudget } from './byte-budget.ts';

/**
 * Batches are views of the answer they came in. The budget counts batches; a pin counts what the runtime really keeps, so that a few stuck
 * records cannot keep a large answer each: while too much is pinned, what arrives is copied out instead.
 */
export class FramePin {
  private users = 0;
  private readonly budget: ByteBudget;
  private readonly bytes: number;

  constructor(budget: ByteBudget, bytes: number) {
    this.budget = budget;
    this.bytes = bytes;
  }

  retain(): this {
    if (this.users === 0) this.budget.pinnedBytes += this.bytes;
    this.users += 1;
    return this;
  }

  release(): void {
    this.users -= 1;
    if (this.users === 0) this.budget.pinnedBytes -= this.bytes;
  }
}
