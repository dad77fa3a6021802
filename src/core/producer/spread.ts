// Where records go that no key binds to a partition.

import { UsageError } from '../../errors.ts';
import type { Random } from '../clock.ts';
import type { Bytes } from '../records/types.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { Spread, WritablePartitioner } from './partitioner.ts';
import { StickyPartition } from './sticky-partition.ts';

/** Chooses partitions for one topic's records. */
export interface Spreader {
  /** The partition for the next record. */
  pick(partitions: readonly PartitionQueue[], key: Bytes | null): PartitionQueue;
  /** `bytes` went to the partition picked last. */
  took(bytes: number): void;
  /** That partition's batch is full: where the record goes instead. */
  batchFull(partitions: readonly PartitionQueue[]): PartitionQueue;
  /** The partitions are other ones now. */
  forget(): void;
}

type HasLeader = (partition: PartitionQueue) => boolean;

/** For a choice that is made for each record by itself. */
abstract class EachRecord implements Spreader {
  protected readonly hasLeader: HasLeader;
  private last: PartitionQueue | undefined;

  constructor(hasLeader: HasLeader) {
    this.hasLeader = hasLeader;
  }

  pick(partitions: readonly PartitionQueue[], key: Bytes | null): PartitionQueue {
    this.last = this.choose(partitions, key);
    return this.last;
  }

  took(): void {}

  batchFull(partitions: readonly PartitionQueue[]): PartitionQueue {
    return this.last ?? this.pick(partitions, null);
  }

  forget(): void {
    this.last = undefined;
  }

  protected abstract choose(partitions: readonly PartitionQueue[], key: Bytes | null): PartitionQueue;

  protected writable(partitions: readonly PartitionQueue[]): readonly PartitionQueue[] {
    const some = partitions.filter(this.hasLeader);
    return some.length === 0 ? partitions : some;
  }
}

class RandomPartition extends EachRecord {
  private readonly random: Random;

  constructor(hasLeader: HasLeader, random: Random) {
    super(hasLeader);
    this.random = random;
  }

  protected choose(partitions: readonly PartitionQueue[]): PartitionQueue {
    const one = partitions[Math.floor(this.random() * partitions.length)]!;
    if (this.hasLeader(one)) return one;
    const some = this.writable(partitions);
    return some[Math.floor(this.random() * some.length)]!;
  }
}

class RoundRobinPartition extends EachRecord {
  private next = 0;

  protected choose(partitions: readonly PartitionQueue[]): PartitionQueue {
    for (let tries = 0; tries < partitions.length; tries += 1) {
      const one = this.step(partitions);
      if (this.hasLeader(one)) return one;
    }
    return this.step(partitions);
  }

  private step(partitions: readonly PartitionQueue[]): PartitionQueue {
    const at = this.next < partitions.length ? this.next : 0;
    this.next = at + 1;
    return partitions[at]!;
  }
}

class ChosenPartition extends EachRecord {
  private readonly partitioner: WritablePartitioner;

  constructor(hasLeader: HasLeader, partitioner: WritablePartitioner) {
    super(hasLeader);
    this.partitioner = partitioner;
  }

  protected choose(partitions: readonly PartitionQueue[], key: Bytes | null): PartitionQueue {
    const writable = this.writable(partitions).map(({ index }) => index);
    const chosen = this.partitioner.choose(key, writable);
    const partition = partitions[chosen];
    if (partition !== undefined) return partition;
    throw new UsageError(
      `The partitioner chose ${String(chosen)} for a topic of ${partitions.length} partitions`,
      'partitioner',
    );
  }
}

/** What spreads one topic's records. */
export function spreaderFor(spread: Spread, random: Random, hasLeader: HasLeader): Spreader {
  if (spread === 'sticky') return new StickyPartition(random, hasLeader);
  if (spread === 'random') return new RandomPartition(hasLeader, random);
  if (spread === 'round-robin') return new RoundRobinPartition(hasLeader);
  return new ChosenPartition(hasLeader, spread);
}
