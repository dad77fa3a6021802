import type { CommittedOffset } from './groups/committed-offsets.ts';

/** A batch of a producer is in the log of a partition. */
export interface AppendEvent {
  readonly kind: 'append';
  readonly clientId: string;
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The batch as it lies in the log; a view of the log's memory. */
  readonly bytes: Buffer;
}

/** An offset is in the log of a group. */
export interface CommitEvent extends CommittedOffset {
  readonly kind: 'commit';
  readonly clientId: string;
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  readonly topic: string;
  readonly partition: number;
}

/** What the cluster did, as opposed to what it was asked for: told at the moment it is done, whether or not the client ever hears of it. */
export type ClusterEvent = AppendEvent | CommitEvent;
