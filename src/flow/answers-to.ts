import { handleOf, type Delivery } from './delivery.ts';
import type { Settlement } from './settlement.ts';

/** True when the claim is one of those behind the delivery. */
export function answersTo(delivery: Delivery<unknown>, settlement: Settlement): boolean {
  return !handleOf(delivery).behind.everySettlement((one) => one !== settlement);
}
