import type { ClusterState } from '../state/cluster-state.ts';
import { NO_LEADER } from '../state/partition.ts';
import type { Partition } from '../state/partition.ts';
import type { Transaction } from './transaction.ts';
import { OFFSETS_TOPIC } from './transaction-state.ts';
import type { TransactionPartition } from './transaction-state.ts';

/** Writes the markers of transactions that have ended, as soon as each partition has a leader and nothing holds them back. */
export class MarkerWriter {
  readonly #cluster: ClusterState;
  /** Transactional ids whose markers are held back; '' holds back all. */
  readonly #stalled = new Map<string, number>();
  readonly #waiting = new Set<Transaction>();
  /** Of the coordinators, as the markers say; grows when they move. */
  coordinatorEpoch = 0;

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
  }

  /** Writes no marker of this transactional id (of any, without one) until the function returned is called. */
  stall(transactionalId = ''): () => void {
    this.#stalled.set(transactionalId, (this.#stalled.get(transactionalId) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const holds = this.#stalled.get(transactionalId)! - 1;
      if (holds > 0) this.#stalled.set(transactionalId, holds);
      else this.#stalled.delete(transactionalId);
      for (const transaction of [...this.#waiting]) this.write(transaction);
    };
  }

  /** Writes the markers of a transaction that is prepared; it is complete when none is left. */
  write(transaction: Transaction): void {
    if (!transaction.isPrepared) return;
    this.#waiting.add(transaction);
    if (this.#stalled.has('') || this.#stalled.has(transaction.transactionalId)) return;
    for (const partition of transaction.partitions.all()) {
      if (this.#writeTo(partition, transaction)) transaction.partitions.delete(partition);
    }
    if (transaction.partitions.size > 0) return;
    this.#waiting.delete(transaction);
    complete(transaction);
  }

  /** False when it must wait for a leader. */
  #writeTo(place: TransactionPartition, transaction: Transaction): boolean {
    if (place.topic === OFFSETS_TOPIC) {
      this.#endOffsets(transaction);
      return true;
    }
    const partition = this.#cluster.topics.get(place.topic)?.partitions[place.partition];
    if (partition === undefined) return true;
    if (partition.leader === NO_LEADER) {
      this.#writeWhenLed(partition, transaction);
      return false;
    }
    const { producerId, epoch: producerEpoch } = transaction;
    this.append(partition, { producerId, producerEpoch, isAbort: transaction.state === 'PrepareAbort' });
    return true;
  }

  /** Appends a marker to the log of a partition. */
  append(
    partition: Partition,
    marker: {
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly isAbort: boolean;
      readonly coordinatorEpoch?: number;
    },
  ): void {
    const { coordinatorEpoch } = this;
    const timestamp = this.#cluster.clock.wallNow();
    partition.log.appendMarker({ coordinatorEpoch, timestamp, ...marker }, partition.leaderEpoch);
    // Kafka's coordinator waits for the followers before it calls a transaction over; so no crash takes its end away, nor what lies before it.
    partition.acknowledgedByAll = partition.log.endOffset;
    partition.wake();
  }

  #writeWhenLed(partition: Partition, transaction: Transaction): void {
    const look = (): void => {
      partition.removeWaiter(look);
      this.write(transaction);
    };
    partition.addWaiter(look);
  }

  #endOffsets(transaction: Transaction): void {
    const commit = transaction.state === 'PrepareCommit';
    for (const groupId of transaction.groups) this.endOffsetsOf(groupId, transaction.producerId, commit);
    transaction.groups.clear();
  }

  /** The commits that a producer staged in a group hold, or are dropped. */
  endOffsetsOf(groupId: string, producerId: number, commit: boolean): void {
    const { groups } = this.#cluster;
    const placed = groups.get(groupId)?.offsets.endTransaction(producerId, commit) ?? [];
    for (const offset of placed) {
      const from = { clientId: '', groupId, memberId: '', generationId: -1 };
      this.#cluster.tell({ kind: 'commit', ...from, ...offset });
    }
    groups.changed(groupId);
  }
}

function complete(transaction: Transaction): void {
  transaction.state = transaction.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  if (transaction.clientVersion !== 2) return;
  transaction.previousProducerId = transaction.producerId;
  if (transaction.nextProducerId < 0) return;
  transaction.lastEpoch = transaction.epoch;
  transaction.producerId = transaction.nextProducerId;
  transaction.nextProducerId = -1;
  transaction.epoch = 0;
}
