import type { Observable, Subscriber, TeardownLogic } from 'rxjs';
import { UsageError } from '../errors.ts';
import { ClaimPauses } from './claim-pauses.ts';
import { ClaimStream } from './claim-stream.ts';
import type { Claim } from './claim.ts';
import { Flow } from './flow.ts';
import { mergeInner } from './merge-inner.ts';
import type { FlowEnd, Op } from './op.ts';
import { applyStages, type Stage } from './stage-guard.ts';
import { StageSubscriber } from './stage-subscriber.ts';

/** A partition was given to this member, given away by it, or taken from it. */
export interface Rebalance {
  readonly kind: 'claimed' | 'released' | 'lost';
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
}

/** What a source of claims is made from. */
export interface ClaimsSource<T> {
  /** For messages: `fromGroup 'orders'`. */
  readonly name: string;
  /** Begins to read; called once. Tearing it down stops the source. */
  open(claims: Subscriber<Claim<T>>): TeardownLogic;
  readonly rebalances: Observable<Rebalance>;
}

/** Sees every claim before the one who reads it. */
class PausableClaims<T> extends StageSubscriber<Claim<T>, Claim<T>> {
  private readonly pauses: ClaimPauses;

  constructor(out: Subscriber<Claim<T>>, pauses: ClaimPauses) {
    super(out);
    this.pauses = pauses;
  }

  override next(claim: Claim<T>): void {
    this.pauses.add(claim);
    this.out.next(claim);
  }
}

// One line per arity, so that they can be compared.
// prettier-ignore
export interface Claims<out T> {
  pipe<R extends FlowEnd>(end: (claims: Claims<T>) => R): R;
  pipe<A, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, end: (flow: Flow<A>) => R): R;
  pipe<A, B, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, end: (flow: Flow<B>) => R): R;
  pipe<A, B, C, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, end: (flow: Flow<C>) => R): R;
  pipe<A, B, C, D, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, end: (flow: Flow<D>) => R): R;
  pipe<A, B, C, D, E, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, end: (flow: Flow<E>) => R): R;
  pipe<A, B, C, D, E, F, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, end: (flow: Flow<F>) => R): R;
  pipe<A, B, C, D, E, F, G, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, end: (flow: Flow<G>) => R): R;
  pipe<A, B, C, D, E, F, G, H, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, end: (flow: Flow<H>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, end: (flow: Flow<I>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, end: (flow: Flow<J>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, end: (flow: Flow<K>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, end: (flow: Flow<L>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, end: (flow: Flow<M>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, end: (flow: Flow<N>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, end: (flow: Flow<O>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, end: (flow: Flow<P>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, end: (flow: Flow<Q>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, S, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, s: Op<Q, S>, end: (flow: Flow<S>) => R): R;
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, S, U, R extends FlowEnd>(a: (claims: Claims<T>) => Flow<A>, b: Op<A, B>, c: Op<B, C>, d: Op<C, D>, e: Op<D, E>, f: Op<E, F>, g: Op<F, G>, h: Op<G, H>, i: Op<H, I>, j: Op<I, J>, k: Op<J, K>, l: Op<K, L>, m: Op<L, M>, n: Op<M, N>, o: Op<N, O>, p: Op<O, P>, q: Op<P, Q>, s: Op<Q, S>, u: Op<S, U>, end: (flow: Flow<U>) => R): R;
}

/**
 * The claims of one source. As a Flow it is all of them merged; `eachClaim` opens a lane for each. It can be subscribed once, one way or the
 * other: to send its deliveries several ways, use `fanOut`.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the interface above only adds overloads of `pipe`
export class Claims<out T> extends Flow<T> {
  /** One Claim for each partition and claim epoch. */
  readonly claims: ClaimStream<T>;
  readonly rebalances: Observable<Rebalance>;
  private readonly pauses = new ClaimPauses();

  protected constructor(from: ClaimsSource<T>) {
    super((subscriber) => mergeInner<Claim<T>, T>(this.claims, (claim) => claim, subscriber));
    let subscribed = false;
    this.rebalances = from.rebalances;
    this.claims = new ClaimStream<T>((subscriber) => {
      if (subscribed) {
        throw new UsageError(
          `${from.name} is subscribed a second time: its records can be settled only once. Use fanOut(...) to send them several ways`,
        );
      }
      subscribed = true;
      return from.open(new PausableClaims<T>(subscriber, this.pauses));
    });
  }

  /**
   * Hands nothing more over from any claim (of `topic`, or of all), those that come later included, until `resumeAll`. As `Claim.pause`, beside it:
   * a claim goes on when neither has it paused. Before the claims are subscribed it is kept for then.
   */
  pauseAll(topic?: string): void {
    this.pauses.set(true, topic);
  }

  /** Ends `pauseAll`: of `topic`, or of everything. A claim that was paused by itself stays so. */
  resumeAll(topic?: string): void {
    this.pauses.set(false, topic);
  }

  override pipe(): Flow<T>;
  override pipe(...stages: Stage[]): unknown {
    return applyStages(this, stages);
  }
}

class SourceClaims<out T> extends Claims<T> {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- the inherited one is protected
  constructor(from: ClaimsSource<T>) {
    super(from);
  }
}

/** Claims from what to do at their one subscription; for sources. */
export function createClaims<T>(from: ClaimsSource<T>): Claims<T> {
  return new SourceClaims<T>(from);
}
