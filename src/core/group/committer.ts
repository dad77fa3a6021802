// How commit points reach the group's log. An interface, so that a transaction can take its place.

/** What is committed for one partition. */
export interface OffsetPoint {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: number;
  /** Of the record before it, -1 when unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** The membership on whose behalf something is committed. */
export interface Generation {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

/** Limits of one commit. */
export interface CommitOptions {
  /** Hard deadline, retries included. */
  readonly deadlineMs: number;
  /** Most repetitions after the first try; default as many as the deadline allows. */
  readonly retries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the points that an answer took; the others of the same commit are repeated, or it rejects. */
  readonly onAccepted?: ((points: readonly OffsetPoint[]) => void) | undefined;
  /** Called for each try that may have been sent and was not answered, or was called off: it may still be carried out, behind later ones. */
  readonly onUnanswered?: (() => void) | undefined;
}

/** Commits offsets for a member of a group. */
export interface Committer {
  /**
   * True for one that ends a transaction: what was not committed is undone with it, so a claim that starts over does so at what is committed, and
   * is told to wait while the transaction ends (`TransactionMember`).
   */
  readonly undoes?: boolean;
  /**
   * Resolves when all points are in the log. Rejects with the coordinator's error when it refuses them (`ILLEGAL_GENERATION`, ...) and with a
   * TimeoutError when the outcome is unknown at the deadline. Called one at a time.
   */
  commit(points: readonly OffsetPoint[], generation: Generation, options: CommitOptions): Promise<void>;
}
