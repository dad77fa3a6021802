/** The membership on whose behalf offsets are committed in a transaction: with it, offsets of a member that has lost its partitions are refused (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string;
  /** Default '': offsets of a group without members. */
  readonly memberId?: string | undefined;
  /** Default -1. Of a member of the consumer protocol, its member epoch. */
  readonly generationId?: number | undefined;
  readonly groupInstanceId?: string | null | undefined;
}

/** The next offset that the group reads. */
export interface TransactionOffset {
  readonly topic: string;
  readonly partition: number;
  /** One past the last record that the transaction deals with. */
  readonly offset: number;
  /** Of the record before it; default -1, unknown. */
  readonly leaderEpoch?: number | undefined;
  readonly metadata?: string | undefined;
}
