// The seam between a member of a group, whatever its protocol, and the consumer around it.

import type { KafkaError } from '../../errors.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { Generation } from './committer.ts';
import type { DividedTopics } from './leader.ts';
import type { BlockedEvent } from './listener.ts';
import type { MemberRequest, MemberState, Verdict } from './membership-table.ts';

/** Keeps one member in its group; used once. Implemented for the classic protocol and for KIP-848's. */
export interface GroupMembership {
  readonly state: MemberState;
  /** '' while the member has none. */
  readonly memberId: string;
  /** The generation, or KIP-848's member epoch; -1 while the member has none. */
  readonly generationId: number;
  /** Whose commits the group takes now; undefined when the generation is gone or the session is over. */
  current(): Generation | undefined;
  /** True when the session is over by our own clock; the loss has been told by then. */
  checkSession(): boolean;
  start(): void;
  /** Rejoins in order, because the subscription or the partitions have changed. */
  requestRejoin(reason: string): void;
  /** What the failure of a request that was sent for that generation means; the member has acted on it by then. */
  refused(request: MemberRequest, error: KafkaError, generationId: number): Verdict;
  /** No more rebalances: the claims are drained for good, and their last commit is still to come. */
  beginLeaving(): void;
  /** Leaves the group, as well as that goes within a few seconds. Never rejects. */
  leave(reason: string): Promise<void>;
  /** Ends the membership: `onLost`, then `onFailed`. */
  fail(cause: KafkaError): void;
}

/** What a membership needs from, and tells, the consumer around it. */
export interface MembershipHost {
  /** The topics to subscribe to, asked before each join. */
  topics(signal: AbortSignal): Promise<readonly string[]>;
  /** Called on the leader with what its division is based on, on the others with undefined. */
  onDivided(topics: DividedTopics | undefined): void;
  /**
   * The whole of what the member owns from now on. What was not owned before is claimed; what is owned already is left alone and keeps its claim
   * epoch. What was owned and is not in it any more was handed to `onRevoke` before.
   */
  onAssigned(assignment: Assignment): void;
  /**
   * Gives up just these claims in order (undefined: all of them), while every other claim goes on. Resolves when they are drained, committed and
   * released; they are owned until then. Must resolve in time, also after `onLost`.
   */
  onRevoke(partitions?: Assignment): Promise<void>;
  /** The generation is gone, and every claim with it. */
  onLost(cause: KafkaError): void;
  /** It is over; `onLost` was called before. */
  onFailed(cause: KafkaError): void;
  /** Long synchronous work, or a process that was stopped, held up a heartbeat. */
  onBlocked?(event: BlockedEvent): void;
}
