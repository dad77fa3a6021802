// What a group consumer tells the layer above.

import type { KafkaError } from '../../errors.ts';
import type { GroupClaim } from './claim.ts';
import type { OffsetPoint } from './committer.ts';

/** A claim began, was given away in order, or was lost. Rewinds are not among these. */
export interface RebalanceEvent {
  readonly kind: 'claimed' | 'released' | 'lost';
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
}

/** For so long nothing could run in this process, heartbeats included: synchronous work, or the process was stopped. */
export interface BlockedEvent {
  /** Beyond the moment at which a heartbeat was due. */
  readonly blockedMs: number;
  readonly sessionTimeoutMs: number;
  /** It was too long: every claim is lost. */
  readonly isSessionOver: boolean;
}

/** Receives claims; every call is synchronous. */
export interface GroupListener {
  onClaim(claim: GroupClaim): void;
  onRebalance(event: RebalanceEvent): void;
  /** The member has its part of a generation, be it empty, and every claim of it was announced. */
  onAssigned?(): void;
  /** The group cannot go on (fenced, not authorised, unknown topic, ...). Every claim is lost and the group is left already. Called once. */
  onFailed(error: KafkaError): void;
  /** These points are in the group's log. */
  onCommitted?(points: readonly OffsetPoint[]): void;
  /** A heartbeat was held up for at least an interval by work of this process that let nothing else run. Told before what it brings about. */
  onBlocked?(event: BlockedEvent): void;
  /** A commit did not succeed within its time; the next one covers it. */
  onCommitFailed?(error: KafkaError): void;
}

/** How one partition stood when its consumer stopped. */
export interface PartitionSummary {
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  /** The group's offset as far as this member knows; undefined when there is none. */
  readonly committedOffset: number | undefined;
  /** Where the commit point stood; larger than `committedOffset` only when the last commit failed. */
  readonly commitPoint: number;
  /** Records handed over and neither settled nor held. */
  readonly unsettled: number;
  /** Records held on purpose; the next owner gets them again. */
  readonly held: number;
  readonly firstUnsettled: number | undefined;
  /** Lost to the group before it could be committed. */
  readonly lost: boolean;
}

/** What `drain` and `abort` leave behind. */
export interface DrainSummary {
  readonly partitions: readonly PartitionSummary[];
  /** Sum over the partitions. */
  readonly unsettled: number;
  readonly held: number;
  /** Every partition's commit point is in the group's log and no claim was lost. */
  readonly committed: boolean;
  /** Why the last commit failed, when it did. */
  readonly error: KafkaError | undefined;
}

/** Adds the partitions up. */
export function summarize(
  partitions: readonly PartitionSummary[],
  error: KafkaError | undefined,
): DrainSummary {
  let unsettled = 0;
  let held = 0;
  let committed = true;
  for (const one of partitions) {
    unsettled += one.unsettled;
    held += one.held;
    committed &&= !one.lost && one.committedOffset !== undefined && one.committedOffset >= one.commitPoint;
  }
  return { partitions, unsettled, held, committed, error };
}
