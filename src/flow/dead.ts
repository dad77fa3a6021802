import { handleOf, type Delivery } from './delivery.ts';
import type { Settlement } from './settlement.ts';

const lost = (settlement: Settlement): boolean => settlement.lost.aborted;

/** True when every claim behind it is lost: nothing of it can be committed any more. */
export function isDead(delivery: Delivery<unknown>): boolean {
  return handleOf(delivery).behind.everySettlement(lost);
}

/** The parts that are not dead; the dead ones are counted out of `watch` and given up. */
export function dropDead<A>(
  parts: readonly Delivery<A>[],
  watch: { remove(delivery: Delivery<unknown>): void },
): Delivery<A>[] {
  const living: Delivery<A>[] = [];
  for (const part of parts) {
    if (isDead(part)) {
      watch.remove(part);
      handleOf(part).giveUp();
    } else living.push(part);
  }
  return living;
}
