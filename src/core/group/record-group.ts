// A member of a group as the program around it sees it, apart from the class: what a test puts in its place has to offer this much.

import type { GroupClaim } from './claim.ts';
import type { DrainSummary, GroupListener } from './listener.ts';
import type { GroupConsumerOptions } from './options.ts';
import type { TransactionMember } from './transaction-member.ts';

/** What a program needs of a {@link GroupConsumer}. Type your own code against it, so that a double can be injected. */
export interface RecordGroup {
  readonly groupId: string;
  /** -1 while the member has none. */
  readonly generation: number;
  /** '' while the member has none. */
  readonly memberId: string;
  readonly claims: readonly GroupClaim[];
  /** Undefined unless a transaction commits the offsets. */
  readonly transaction?: TransactionMember | undefined;
  /** Joins the group in the background. */
  start(): void;
  /** Commits every claim's commit point now. */
  commit(): Promise<void>;
  /** Waits up to `timeoutMs` for what is in flight, commits, leaves the group. */
  drain(timeoutMs: number): Promise<DrainSummary>;
  /** As `drain` without waiting. */
  abort(reason: unknown): Promise<DrainSummary>;
}

/** Makes a member: `(options, listener) => new GroupConsumer(kafka.cluster, options, listener)`, or the `open` of a double. */
export type OpenGroupFunction = (options: GroupConsumerOptions, listener: GroupListener) => RecordGroup;
