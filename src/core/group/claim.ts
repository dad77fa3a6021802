// One partition of the group, for one claim epoch, as the layers above see it.

import type { ClaimLostError } from '../../errors.ts';
import type { ReaderListener } from '../consumer/partition-reader.ts';

/** Who a claim hands its records to. Every call is synchronous, except that `onRewinding` may answer with a promise. */
export interface ClaimListener extends ReaderListener {
  /** The gate is closed: nothing more will come. Complete the inner flow and flush; what is in flight may still be settled. */
  onRevoking(): void;
  /** The claim is dead: nothing of it will be committed any more, and nothing of it should be produced. */
  onLost(error: ClaimLostError): void;
  /** After `onLost` of a rewind: resolves when all that was already sent for this claim is answered. The records come again only then. */
  onRewinding?(): Promise<void>;
}

/**
 * A partition that this member owns. It ends by revocation (`revoking` aborts, then what is in flight may settle, then it is committed) or by
 * loss (`lost` aborts: dead at once, never committed). A rewind ends it as lost and gives the same partition a new claim through `onClaim`.
 */
export interface GroupClaim {
  readonly topic: string;
  readonly partition: number;
  /** Counts the claims of this partition in this process, from 1. */
  readonly claimEpoch: number;
  /** The member's generation, or KIP-848's member epoch, read live: a claim that is kept over a rebalance sees it rise. */
  readonly generation: number;
  readonly startOffset: number;
  /** Metadata string of the commit it starts from, '' without one. */
  readonly startMetadata: string;
  /** Metadata string that goes with the next commits of this partition. */
  commitMetadata: string;
  /** From now on `describe` makes that string for each commit, from the offset that is committed. */
  describeCommits(describe: (offset: number) => string): void;
  /** What the group's log has for this partition as far as this member knows; undefined for nothing. */
  readonly committedOffset: number | undefined;
  /** One past the last record handed over. */
  readonly position: number;
  readonly highWatermark: number;
  readonly lag: number;
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
  /** Records handed over and not settled, held ones included. */
  readonly unsettledRecords: number;
  /** Settles that came when the claim was over; ignored. */
  readonly lateSettles: number;
  readonly revoking: AbortSignal;
  readonly lost: AbortSignal;
  /**
   * Nothing of this claim may be produced or committed any more. Reads the clock: it turns true at the moment the session expires, also in a
   * process that was stopped and has not run its timers yet; so a sink asks this, not `lost.aborted`, right before it sends.
   */
  readonly dead: boolean;
  start(listener: ClaimListener): void;
  settle(sequence: number): void;
  /** Gives the record's credit back while it still pins the commit point; a drain does not wait for it. */
  hold(sequence: number): void;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
  /**
   * Starts this partition over at its commit point, `delayMs` after what was already sent is answered: this claim is lost, a new one follows.
   * The group sees nothing. Does nothing on a claim that is over.
   */
  rewind(delayMs: number): void;
  /** 0 when nothing is unsettled. */
  oldestUnsettledAgeMs(): number;
  firstUnsettled(): number | undefined;
  /** Offsets from `from` on and before `to` of records that were handed over and are not settled, held ones included. */
  unsettledBetween?(from: number, to: number): readonly number[];
}
