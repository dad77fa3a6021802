import { Observable, type Subscriber, type TeardownLogic } from 'rxjs';
import { handleOf, type Delivery } from './delivery.ts';
import { plainRxOperatorLosesRecords_useSluiceOperatorOrWrap, type FlowEnd, type Op } from './op.ts';
import { PulledValues } from './pulled-values.ts';
import { subscribeEnd } from './runtime.ts';
import { applyStages, type Stage } from './stage-guard.ts';

// One line per arity, so that they can be compared.
// prettier-ignore
export interface Flow<out T> {
  pipe<R extends FlowEnd>(end: (flow: Flow<T>) => R): R;
  pipe<A, R extends FlowEnd>(a: Op<T, A>, end: (flow: Flow<A>) => R): R;
  pipe<A, B, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, end: (flow: Flow<B>) => R): R;
  pipe<A, B, C, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, end: (flow: Flow<C>) => R): R;
  pipe<A, B, C, D, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, end: (flow: Flow<D>) => R): R;
  pipe<A, B, C, D, E, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, end: (flow: Flow<E>) => R): R;
  pipe<A, B, C, D, E, F, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, end: (flow: Flow<F>) => R): R;
  pipe<A, B, C, D, E, F, G, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, end: (flow: Flow<G>) => R): R;
  pipe<A, B, C, D, E, F, G, H, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, end: (flow: Flow<H>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, end: (flow: Flow<I>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, end: (flow: Flow<J>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, end: (flow: Flow<K>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, end: (flow: Flow<L>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, end: (flow: Flow<M>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, end: (flow: Flow<N>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, end: (flow: Flow<O>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, end: (flow: Flow<P>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, end: (flow: Flow<Q>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, S, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, s: Op<Q, S>, end: (flow: Flow<S>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, S, U, R extends FlowEnd>(a: Op<T, A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, s: Op<Q, S>, u: Op<S, U>, end: (flow: Flow<U>) => R): R;
}

/**
 * An Observable of deliveries with its own `pipe`: stages of this library only, up to 20. Every delivery that enters is settled by some stage,
 * by a sink, or by the topology it ends in.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the interface above only adds overloads of `pipe`
export class Flow<out T> extends Observable<Delivery<T>> implements FlowEnd {
  declare readonly [plainRxOperatorLosesRecords_useSluiceOperatorOrWrap]: 'flow';

  protected constructor(subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic) {
    super((subscriber) => subscribeEnd(subscriber, subscribe));
  }

  override pipe(): Flow<T>;
  override pipe(...stages: Stage[]): unknown {
    return applyStages(this, stages);
  }

  /**
   * `for await (const delivery of flow)`: the flow is subscribed at the first turn. What was handed over and not taken yet waits, unsettled, under
   * the source's credit: a loop that takes nothing and settles nothing lets the source run out of it, and nothing more comes. Settle each delivery;
   * what the loop took stays its own after the end. Leaving the loop unsubscribes, which stops the source at once: what was settled before is
   * committed, what was not is left to the next owner, and settling it later changes nothing. A failure of the flow is thrown when
   * everything that came before it was taken.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Delivery<T>> {
    return new PulledValues<Delivery<T>>(this, (delivery) => handleOf(delivery).giveUp());
  }
}

Object.defineProperty(Flow.prototype, plainRxOperatorLosesRecords_useSluiceOperatorOrWrap, { value: 'flow' });

class OperatorFlow<out T> extends Flow<T> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- the inherited one is protected
  constructor(subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic) {
    super(subscribe);
  }
}

/** A Flow from what to do at each subscription; for sources and operators. */
export function createFlow<T>(subscribe: (subscriber: Subscriber<Delivery<T>>) => TeardownLogic): Flow<T> {
  return new OperatorFlow<T>(subscribe);
}
