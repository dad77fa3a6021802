import type { ByteBudget } from '../../../src/core/consumer/byte-budget.ts';
import { MIN_FETCH_BYTES } from '../../../src/core/consumer/defaults.ts';

const LENT = 1 / 4;

/**
 * The most bytes that a consumer may hold by its design: the budget, what may be lent beyond it for a while, and one batch (at least one smallest fetch) for
 * each reader, which is always let in when nothing else of it is held. What is compressed grows when it is opened: fetching is bounded by the bytes on the
 * wire, and what is open by `unpackedBytes`, what each reader may then have of it.
 */
export function memoryBound(budget: ByteBudget, unpackedBytes: number): number {
  const shares = (budget as unknown as { shares: Iterable<{ readonly batchBytes: number }> }).shares;
  let bytes = budget.totalBytes * (1 + LENT);
  for (const { batchBytes } of shares) bytes += Math.max(batchBytes, MIN_FETCH_BYTES) + unpackedBytes;
  return bytes;
}
