// What is told of groups and of transactions.

import type { KafkaError } from '../../errors.ts';

/** Which member of which group. */
export interface MemberPlace {
  readonly clientId: string;
  readonly groupId: string;
  /** '' before the member has one. */
  readonly memberId: string;
  /** The generation, or the member epoch of the consumer protocol; -1 for none. */
  readonly generationId: number;
}

/** A partition of a member, one claim epoch of it. */
export interface ClaimPlace extends MemberPlace {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
}

/**
 * A member's way through its group.
 * - `joined`: it is in a generation (classic: JoinGroup is answered; consumer protocol: its first heartbeat is).
 * - `synced`: it has its part of it; `rebalanceMs` from the beginning of the join (of a classic group).
 * - `join-failed`, `sync-failed`: an attempt that is repeated, or the last.
 * - `claimed`, `released`, `lost`: a claim was taken, given away in order, or lost. `drainMs`: for how long what was in flight was waited for, the last
 *   commit included.
 */
export type GroupEvent =
  | (MemberPlace & {
      readonly kind: 'joined';
      readonly isLeader: boolean;
      readonly durationMs: number;
    })
  | (MemberPlace & {
      readonly kind: 'synced';
      readonly partitions: number;
      readonly durationMs: number;
      readonly rebalanceMs: number;
    })
  | (MemberPlace & { readonly kind: 'join-failed' | 'sync-failed'; readonly error: KafkaError })
  | (ClaimPlace & { readonly kind: 'claimed' })
  | (ClaimPlace & { readonly kind: 'released' | 'lost'; readonly drainMs: number });

/** For so long nothing could run in this process, heartbeats included. */
export interface BlockedProcessEvent extends MemberPlace {
  readonly blockedMs: number;
  readonly sessionTimeoutMs: number;
  /** It was too long: every claim is lost. */
  readonly isSessionOver: boolean;
}

/** An offset, without its metadata string, which is the user's. */
export interface ToldOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** One commit, its repetitions included; of a group, or of an offset manager. */
export type OffsetsEvent = MemberPlace & {
  readonly offsets: readonly ToldOffset[];
  readonly durationMs: number;
} & ({ readonly kind: 'committed' } | { readonly kind: 'failed'; readonly error: unknown });

/**
 * - `initialized`: the producer has its id and epoch. - `begun`: a transaction is open, as far as the client is concerned. - `offsets-sent`: a group's
 *   offsets are part of it.
 * - `committed`, `aborted`: it is over; `endMs` is what the end took, `openMs` counts from `begun`.
 * - `broken`: it can only be aborted; or, `isFatal`, the producer cannot go on.
 */
export type TransactionEvent = {
  readonly clientId: string;
  readonly transactionalId: string;
  /** -1 before there is one. */
  readonly producerId: number;
  readonly producerEpoch: number;
} & (
  | { readonly kind: 'initialized'; readonly durationMs: number; readonly version: 1 | 2 }
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'offsets-sent';
      readonly groupId: string;
      readonly partitions: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'committed' | 'aborted'; readonly openMs: number; readonly endMs: number }
  | { readonly kind: 'broken'; readonly isFatal: boolean; readonly error: KafkaError }
);
