import type { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import { MIN_FETCH_BYTES } from '../../../src/core/consumer/defaults.ts';

const LENT = 1 / 4;

/**
 * The most bytes that a consumer may hold by its design: the budget, what may be lent beyond it for a while, and one batch (at least one smallest fetch) for
 * each reader, which is always let in when nothing else of it is held.
 */
export function memoryBound(budget: ByteBudget): number {
  const shares = (budget as unknown as { shares: Iterable<{ readonly batchBytes: number }> }).shares;
  let bytes = budget.totalBytes * (1 + LENT);
  for (const { batchBytes } of shares) bytes += Math.max(batchBytes, MIN_FETCH_BYTES);
  return bytes;
}
