// Where records without a key go (KIP-480, KIP-794): one partition until it has taken its share and its batch is closed, then another by chance,
// less likely one with much queued, never one that has no leader or no room while there are others.

import type { Random } from '../clock.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { Spreader } from './spread.ts';

// KIP-794 takes the batch size of the Java client, 16 KiB.
const SHARE_BYTES = 16 * 1024;

/** The current partition of one topic's keyless records. */
export class StickyPartition implements Spreader {
  private current: PartitionQueue | undefined;
  private taken = 0;
  private readonly random: Random;
  private readonly hasLeader: (partition: PartitionQueue) => boolean;

  constructor(random: Random, hasLeader: (partition: PartitionQueue) => boolean) {
    this.random = random;
    this.hasLeader = hasLeader;
  }

  /** The partition for the next record. */
  pick(partitions: readonly PartitionQueue[]): PartitionQueue {
    const { current } = this;
    if (
      current !== undefined &&
      (current.backlog.open !== undefined || this.taken < SHARE_BYTES) &&
      !current.gauge.full
    )
      return current;
    return this.move(partitions);
  }

  /** `bytes` went to the current partition. */
  took(bytes: number): void {
    this.taken += bytes;
  }

  /** The current partition's batch is full: the next one may go elsewhere. */
  batchFull(partitions: readonly PartitionQueue[]): PartitionQueue {
    return this.taken < SHARE_BYTES && this.current !== undefined ? this.current : this.move(partitions);
  }

  /** The partitions are other ones now. */
  forget(): void {
    this.current = undefined;
  }

  private move(partitions: readonly PartitionQueue[]): PartitionQueue {
    let candidates = partitions.filter((partition) => !partition.gauge.full && this.hasLeader(partition));
    if (candidates.length === 0) candidates = [...partitions];
    const most = Math.max(...candidates.map((partition) => partition.queued));
    let at = this.random() * candidates.reduce((sum, partition) => sum + most + 1 - partition.queued, 0);
    let chosen = candidates[candidates.length - 1]!;
    for (const partition of candidates) {
      at -= most + 1 - partition.queued;
      if (at >= 0) continue;
      chosen = partition;
      break;
    }
    this.current = chosen;
    this.taken = 0;
    return chosen;
  }
}
