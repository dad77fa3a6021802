import type { Flow } from './flow.ts';

/**
 * Marks what may leave a topology or stand at the end of a `pipe`. An error message with this name means: a plain RxJS operator stands where
 * records would be lost; use the operator of this library, or wrap it in `dropping`, `passing` or `perRecord`.
 */
export const plainRxOperatorLosesRecords_useSluiceOperatorOrWrap: unique symbol = Symbol('sluice.flow');

/** A Flow, or the Settled that ends one. */
export interface FlowEnd {
  readonly [plainRxOperatorLosesRecords_useSluiceOperatorOrWrap]: 'flow' | 'settled';
}

/** A stage: what `map(...)`, `toTopic(...)` and your own `(flow) => flow.pipe(...)` are. */
export interface Op<in A, out B> {
  (flow: Flow<A>): Flow<B>;
}
