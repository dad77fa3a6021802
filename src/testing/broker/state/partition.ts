import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { LogMemory } from '../log/log-memory.ts';
import { PartitionLog } from '../log/partition-log.ts';

/** No node leads the partition. */
export const NO_LEADER = -1;
/** How often logs are looked through for records that are too old (`log.retention.check.interval.ms`). */
const RETENTION_CHECK_MS = 300_000;

/** What a partition is made of. */
export interface PartitionPlace {
  readonly topic: string;
  readonly index: number;
  readonly replicas: readonly number[];
  readonly leader: number;
  /** Where the memory of its log is counted. */
  readonly memory?: LogMemory;
}

/** One partition: who leads it, its log, and the fetches that wait for it. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly log: PartitionLog;
  replicas: readonly number[];
  leader: number;
  leaderEpoch = 0;
  /** Replicas that an act has put out of sync; the others are in sync while their nodes are up. */
  readonly laggards = new Set<number>();
  /** What a producer with acks=all was told is in every in-sync replica: a clean election never loses anything before it. */
  acknowledgedByAll = 0;
  /** The end of the last append that a producer with acks=all asked for, whether or not it still waits for its answer. */
  awaitedByAll = 0;
  /** Set by an act: it stays without a leader even when a replica comes back. */
  isHeldLeaderless = false;
  readonly #waiters = new Set<() => void>();
  #expiredTicks = 0;

  /** The last node that led it: the one whose copy of the log is whole. */
  #lastLeader: number;

  constructor(at: PartitionPlace) {
    this.topic = at.topic;
    this.index = at.index;
    this.replicas = at.replicas;
    this.leader = at.leader;
    this.#lastLeader = at.leader;
    this.log = new PartitionLog(at.memory);
    this.log.epochs.begin(0, 0);
  }

  /** A new leader (or none) under a new epoch. What the followers had not fetched is gone when one of them leads. */
  elect(leader: number): void {
    this.leader = leader;
    this.leaderEpoch++;
    if (leader !== NO_LEADER) {
      if (leader !== this.#lastLeader) {
        // The end of a transaction is never lost, although here its marker is not waited for.
        this.log.truncateTo(Math.max(this.log.highWatermark, this.acknowledgedByAll));
        this.log.releaseReplication();
        this.awaitedByAll = Math.min(this.awaitedByAll, this.log.endOffset);
        this.#lastLeader = leader;
      }
      this.log.epochs.begin(this.leaderEpoch, this.log.endOffset);
    }
    this.wake();
  }

  /** Records older than `retention.ms` go, as often as Kafka looks. */
  expire(wallNowMs: number, retentionMs: number): void {
    if (retentionMs === Infinity) return;
    const ticks = Math.floor(wallNowMs / RETENTION_CHECK_MS);
    if (ticks === this.#expiredTicks) return;
    this.#expiredTicks = ticks;
    this.log.expireBefore(ticks * RETENTION_CHECK_MS - retentionMs);
  }

  /**
   * The last `records` records are gone, as if no follower had fetched them before the leader was lost. What a producer with acks=all was
   * told stays, unless the election is `unclean`.
   */
  loseTail(records: number, unclean: boolean): void {
    const kept = Math.max(this.log.endOffset - records, this.log.startOffset);
    this.log.truncateTo(
      unclean ? kept : Math.max(kept, Math.min(this.acknowledgedByAll, this.log.endOffset)),
    );
    this.acknowledgedByAll = Math.min(this.acknowledgedByAll, this.log.endOffset);
    this.awaitedByAll = Math.min(this.awaitedByAll, this.log.endOffset);
  }

  /** Followers that had stopped to fetch have everything now: what was to be in all of them is. */
  catchUp(): void {
    this.log.releaseReplication();
    this.acknowledgedByAll = Math.max(this.acknowledgedByAll, this.awaitedByAll);
    this.wake();
  }

  /** The error for a request that came to `nodeId` believing in `leaderEpoch` (-1: none), 0 when it may go on. */
  leadershipError(nodeId: number, leaderEpoch: number): number {
    if (leaderEpoch >= 0 && leaderEpoch < this.leaderEpoch) return ERRORS.FENCED_LEADER_EPOCH;
    if (leaderEpoch > this.leaderEpoch) return ERRORS.UNKNOWN_LEADER_EPOCH;
    return this.leader === nodeId ? ERRORS.NONE : ERRORS.NOT_LEADER_OR_FOLLOWER;
  }

  /** Calls `waiter` at every append and change until it is removed. */
  addWaiter(waiter: () => void): void {
    this.#waiters.add(waiter);
  }

  removeWaiter(waiter: () => void): void {
    this.#waiters.delete(waiter);
  }

  wake(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of [...this.#waiters]) waiter();
  }
}
