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
  for (const part of parts) if (!dropIfDead(part, watch)) living.push(part);
  return living;
}

/** True for one that is dead: it is counted out of `watch` and given up. */
export function dropIfDead(
  delivery: Delivery<unknown>,
  watch: { remove(delivery: Delivery<unknown>): void },
): boolean {
  if (!isDead(delivery)) return false;
  watch.remove(delivery);
  handleOf(delivery).giveUp();
  return true;
}
