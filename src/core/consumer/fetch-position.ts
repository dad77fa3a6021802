// How far a partition has been fetched: ahead of what was handed over, and never what is committed.

/** The fetching side of a reader's cursor. */
export class FetchPosition {
  /** The next offset to ask for. */
  offset: number;
  /** Leader epoch of the record before it, -1 when unknown; lets the broker find out that its log was truncated. */
  leaderEpoch: number;
  /** Changes with each jump, so that the answer to an earlier question is recognised. */
  generation = 0;
  /** A request that asks for this partition is under way. */
  asked = false;
  /** Not to be asked for before this time. */
  notBeforeMs = -Infinity;
  /** Failed asks in a row. */
  failures = 0;
  /** Of these, the last ones in a row that were broken answers. */
  brokenAnswers = 0;
  /** When the first of those came. */
  brokenSinceMs = 0;
  /** The follower that is read from (KIP-392), -1 for the leader. */
  follower = -1;
  /** Until then. */
  followerUntilMs = Infinity;
  /** Until then the leader is asked without telling it our rack, so that it answers itself. */
  leaderUntilMs = -Infinity;
  /** When data came last, as a count of all answers: the smaller, the earlier its turn. */
  lastServed = 0;

  constructor(offset: number, leaderEpoch: number) {
    this.offset = offset;
    this.leaderEpoch = leaderEpoch;
  }

  jumpTo(offset: number, leaderEpoch: number): void {
    this.offset = offset;
    this.leaderEpoch = leaderEpoch;
    this.abandon();
  }

  /** The question was answered, if only with nothing. */
  answered(): void {
    this.asked = false;
    this.failures = 0;
    this.brokenAnswers = 0;
  }

  /** What is under way is dropped when it comes; the same question may be asked elsewhere. */
  abandon(): void {
    this.generation += 1;
    this.notBeforeMs = -Infinity;
    this.asked = false;
  }
}
