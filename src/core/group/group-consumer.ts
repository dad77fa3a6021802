// A member of a consumer group: claims come and go, each is read under a credit gate, what is settled is committed.

import type { Cluster } from '../cluster/cluster.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { GroupClaim } from './claim.ts';
import type { DrainSummary, GroupListener } from './listener.ts';
import type { GroupConsumerOptions } from './options.ts';

/** One member of one group; used once. */
export declare class GroupConsumer {
  /** Throws UsageError when an option breaks a rule. */
  constructor(cluster: Cluster, options: GroupConsumerOptions, listener: GroupListener);
  readonly groupId: string;
  /** -1 while the member has none. */
  get generation(): number;
  /** '' while the member has none. */
  get memberId(): string;
  get assignment(): Assignment;
  /** The claims that are open now. */
  get claims(): readonly GroupClaim[];
  /** Joins the group in the background; what comes of it, failure included, goes to the listener. */
  start(): void;
  /**
   * Closes all gates, waits up to `timeoutMs` for what is in flight, commits every claim's commit point, leaves the group. What is unsettled
   * then is for the next owner. A second call, and one after `onFailed`, answers with the same summary.
   */
  drain(timeoutMs: number): Promise<DrainSummary>;
  /** As `drain` without waiting: claims are lost at once, what was settled up to now is committed, the group is left. */
  abort(reason: unknown): Promise<DrainSummary>;
}
