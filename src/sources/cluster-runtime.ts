import type { GroupConsumerOptions } from '../core/group/options.ts';
import type { TransactionMember } from '../core/group/transaction-member.ts';
import type { StreamClient } from '../core/stream-client.ts';
import type { FlowRuntime } from '../flow/runtime.ts';
import type { DeliveryProblem } from '../flow/settlement.ts';
import type { Leaving } from './leaving.ts';

/** The transactions that take the place of a group's commits. */
export interface TransactionScope {
  /** What they change in the options of a group. */
  groupOptions(options: GroupConsumerOptions): GroupConsumerOptions;
  join(member: TransactionMember): void;
  /** Claims are gone of which something is in the present transaction: it is undone, and all claims start over. */
  undo(cause: unknown): void;
}

/** What the sources that read from the cluster need besides a {@link FlowRuntime}. */
export interface ClusterRuntime {
  readonly client: StreamClient;
  /** Undefined in a script: failures are then the flow's own errors. */
  readonly flow: FlowRuntime | undefined;
  /** Undefined for at-least-once. */
  readonly transactions?: TransactionScope | undefined;
  /** Resolves when everything handed to the sinks up to now is answered; in a transaction, when it is undone and the next one began. */
  sent(): Promise<void>;
  /** Flows that are unsubscribed leave their groups there. */
  readonly leaving: Leaving;
  onProblem(problem: DeliveryProblem & { readonly topic: string; readonly partition: number }): void;
}
