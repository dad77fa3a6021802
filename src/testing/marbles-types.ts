// What a marble test has at hand.
import type { Claims } from '../flow/claims.ts';
import type { Flow } from '../flow/flow.ts';

/** A diagram for a `flow(...)`; one for each partition of `claims(...)`, where a partition without one is to see nothing. */
export type SettlementMarbles = string | { readonly [place: string]: string };

/** What `testFlow` gives to a test. Diagrams are RxJS's, in run mode: one character is a millisecond, `5ms` is five, `(ab)` share one. */
export interface FlowTest {
  /** A cold flow of one claim. Marks without a value stand for themselves; `#` is an error, `error` by name unless given. */
  flow<T = string>(marbles: string, values?: { readonly [mark: string]: T }, error?: unknown): Flow<T>;
  /**
   * The claims of a group, for `eachClaim` and what mixes partitions: a diagram for each `topic-partition`. `|` ends a claim as a drain does, `!` gives
   * it away.
   */
  claims<T = string>(
    partitions: { readonly [place: string]: string },
    values?: { readonly [mark: string]: T },
    error?: unknown,
  ): Claims<T>;
  /** The length of a diagram up to `|`, in milliseconds. */
  time(marbles: string): number;
  /**
   * Subscribes the flow at 0, acknowledges each delivery when it comes out, and compares its values. `unsubscription` is a diagram with `!`
   * where it is unsubscribed.
   */
  expectFlow<T>(
    flow: Flow<T>,
    unsubscription?: string,
  ): { toBe(marbles: string, values?: { readonly [mark: string]: T }, error?: unknown): void };
  /** Compares when the records of a `flow(...)` or of `claims(...)` were acknowledged, by their marks. */
  expectAcks(flow: Flow<unknown>): { toBe(marbles: SettlementMarbles): void };
  /** The same for nacks; `causes` by mark, where they matter. A test with a nack it did not expect fails. */
  expectNacks(flow: Flow<unknown>): {
    toBe(marbles: SettlementMarbles, causes?: { readonly [mark: string]: unknown }): void;
  };
  /**
   * Everything that became of the records, in one diagram: a mark alone is its acknowledgement, and `values` says what others stand for: `'nack b'`
   * (refused), `'hold c'` (unsettled on purpose, its credit given back), `'give-up d'` (left to the next owner), `'ack a'`.
   */
  expectSettlements(flow: Flow<unknown>): {
    toBe(marbles: SettlementMarbles, values?: { readonly [mark: string]: string }): void;
  };
  /** Compares from when to when a `flow(...)` was subscribed: `^` and `!`, one diagram for each subscription. */
  expectSubscriptions(flow: Flow<unknown>): { toBe(marbles: string | readonly string[]): void };
  /** Gives the claim of a `flow(...)`, or one of `claims(...)`, away at the `!` of the diagram: what waits flushes or gives up. */
  revoke(flow: Flow<unknown>, marbles: string, place?: string): void;
  /** Takes the claim away at the `!`: its records cannot be committed any more. */
  lose(flow: Flow<unknown>, marbles: string, place?: string): void;
  /** The claim runs out of credit at the `!`, until half of what is in flight has settled. */
  press(flow: Flow<unknown>, marbles: string, place?: string): void;
}
