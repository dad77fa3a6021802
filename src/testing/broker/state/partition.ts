import { ERRORS } from '../../../core/protocol/error-codes.ts';
import { PartitionLog } from '../log/partition-log.ts';

/** No node leads the partition. */
export const NO_LEADER = -1;

/** One partition: who leads it, its log, and the fetches that wait for it. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly log = new PartitionLog();
  replicas: readonly number[];
  leader: number;
  leaderEpoch = 0;
  /** Set by an act: it stays without a leader even when a replica comes back. */
  isHeldLeaderless = false;
  readonly #waiters = new Set<() => void>();

  constructor(at: { topic: string; index: number; replicas: readonly number[]; leader: number }) {
    this.topic = at.topic;
    this.index = at.index;
    this.replicas = at.replicas;
    this.leader = at.leader;
    this.log.epochs.begin(0, 0);
  }

  /** A new leader (or none) under a new epoch. */
  elect(leader: number): void {
    this.leader = leader;
    this.leaderEpoch++;
    if (leader !== NO_LEADER) this.log.epochs.begin(this.leaderEpoch, this.log.endOffset);
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
