import { handleOf, type Delivery } from './delivery.ts';
import type { Settlement } from './settlement.ts';

/**
 * One state for each claim epoch: a claim that is rewound, or comes back after it was given away, begins anew, so that what is replayed is never
 * counted twice. Nothing is to be cleaned up: a state goes with its claim.
 */
export class ClaimStates<S> {
  private readonly create: () => S;
  private readonly states = new WeakMap<Settlement, S>();
  private last: Settlement | undefined;
  private lastState: S | undefined;
  /** Of deliveries that were made from nothing. */
  private unclaimed: S | undefined;

  constructor(create: () => S) {
    this.create = create;
  }

  /** The state of the claim that the first record behind `delivery` belongs to. */
  of(delivery: Delivery<unknown>): S {
    const settlement = handleOf(delivery).behind.someSettlement();
    if (settlement === undefined) return (this.unclaimed ??= this.create());
    if (settlement !== this.last) {
      let state = this.states.get(settlement);
      if (state === undefined) {
        state = this.create();
        this.states.set(settlement, state);
      }
      this.last = settlement;
      this.lastState = state;
    }
    return this.lastState as S;
  }
}
