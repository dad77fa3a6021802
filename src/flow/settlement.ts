import type { Clock } from '../core/clock.ts';

/** What a refused delivery asks for: to be read again later, to be given up for good, or the claim to be read again from its commit point. */
export type Verdict = 'retry' | 'reject' | 'rewind';

/** Something that may run out of room and then waits for settlements: a source out of credit, or a stage with too many open children. */
export interface PressureSource {
  /** Calls `listener` each time it runs out of room with more to emit. The function returned stops that. */
  onPressure(listener: () => void): () => void;
  /** True from that moment until it has room again. */
  readonly pressed?: boolean;
  /** How many of its records are unsettled and not held; lets a stage that collects tell whether everything is waiting for it alone. */
  readonly inFlight?: number;
}

/** Commits what is settled; one for all the claims of a group. */
export interface SourceCommitter {
  /** Resolves when every commit point of the call is in the group's log; rejects when not all of them are. */
  commit(): Promise<void>;
}

/** A delivery that was handled wrongly; none of it changes what is settled. */
export interface DeliveryProblem {
  /** `inert-use`: a handle was used after it was derived, forked or gathered. `leaked`: garbage collected while unsettled. */
  readonly kind: 'inert-use' | 'leaked';
  /** The method that was called, for `inert-use`. */
  readonly action?: string;
  readonly sequence: number;
}

/**
 * What root deliveries answer to: one claim epoch of one partition, or one plain source. Every call is synchronous, and may re-enter the
 * source (a settlement that frees credit may emit).
 */
export interface Settlement extends PressureSource {
  readonly source: string;
  readonly claimEpoch: number;
  /** Aborted when the claim is being given away and when its topology drains: what waits should flush or give up, what runs may finish. */
  readonly revoking: AbortSignal;
  /** Aborted when the claim is gone: nothing of it can be committed any more. */
  readonly lost: AbortSignal;
  /** True as soon as nothing of it can be committed any more, even before `lost` could be told; asked by sinks right before they send. */
  readonly dead?: boolean;
  /** Every timer about this source's records is taken from it. */
  readonly clock: Clock;
  /** A record of it was refused or given up, so it is read again: whoever marks how far they are marks nothing that came after. */
  readonly refused?: boolean;
  /** How often the claim was rewound since its commit point last moved; bounds `rewind`. */
  readonly rewinds?: number;
  /** The metadata string of the commit that the claim started from; undefined where nothing is committed. */
  readonly startMetadata?: string;
  /** From now on `describe` makes the metadata string of each commit, from the offset that is committed. Undefined where nothing is committed. */
  readonly describeCommits?: ((describe: (offset: number) => string) => void) | undefined;
  /** Offsets from `from` on and before `to` of records that were handed over and are not settled, held ones included. */
  unsettledBetween?(from: number, to: number): readonly number[];
  /** All that was in the log at the last fetch was handed over, and reading goes on. Absent where there is no end to catch up with. */
  readonly caughtUp?: boolean;
  /** Undefined where nothing is committed. */
  readonly committer?: SourceCommitter | undefined;
  /** What is committed of it: every record before this offset. */
  readonly committedOffset?: number | undefined;
  settle(sequence: number): void;
  /** The record gives its in-flight credit back and still pins the commit point. */
  hold(sequence: number): void;
  reject(sequence: number, cause: unknown, verdict: Verdict, rewindDelayMs?: number): void;
  /** Nobody is going to settle this record: it pins the commit point, and a drain need not wait for it. */
  giveUp?(sequence: number, held: boolean): void;
  report?(problem: DeliveryProblem): void;
}
