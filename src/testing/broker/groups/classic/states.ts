/** States of a classic group, by Kafka's names. */
export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** Where each state may be entered from. */
const ENTERED_FROM: Readonly<Record<ClassicState, readonly ClassicState[]>> = {
  // No members; commits may remain.
  Empty: ['PreparingRebalance'],
  // Waits until every member has rejoined, or for the rebalance timeout.
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  // Has a new generation; waits for the leader's assignment.
  CompletingRebalance: ['PreparingRebalance'],
  // Every member can fetch its assignment.
  Stable: ['CompletingRebalance'],
  // Deleted; whoever still speaks to it is sent to look for the coordinator again.
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
};

export function mayEnter(state: ClassicState, from: ClassicState): boolean {
  return ENTERED_FROM[state].includes(from);
}
