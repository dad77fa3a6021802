import { handleOf, type Delivery } from '../../flow/delivery.ts';
import type { PressureSource } from '../../flow/settlement.ts';

/** True when settling the delivery makes room in `source`. */
export function isBehind(source: PressureSource, delivery: Delivery<unknown>): boolean {
  let found = false;
  handleOf(delivery).behind.visitPressures((one) => {
    if (one === source) found = true;
  });
  return found;
}
