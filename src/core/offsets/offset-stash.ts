// Many marks collected, to be applied at once.

import { checkNextOffset } from './checks.ts';
import type { MarkedRecord } from './managed-partition.ts';
import { OffsetMark } from './offset-mark.ts';

/** What a stash has for one partition. */
export interface StashedOffset {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: number;
  /** Undefined keeps what the partition has. */
  readonly metadata: string | undefined;
  readonly leaderEpoch: number;
}

interface Stashed {
  readonly topic: string;
  readonly partition: number;
  readonly mark: OffsetMark;
  hasMetadata: boolean;
}

/**
 * Marks and resets of any partitions, kept aside until `OffsetManager.markOffsets` or `resetOffsets` applies them together: whatever is applied
 * in one call goes out in one commit.
 */
export class OffsetStash implements Iterable<StashedOffset> {
  private readonly topics = new Map<string, Map<number, Stashed>>();

  /** Partitions that something is stashed for. */
  get size(): number {
    let size = 0;
    for (const partitions of this.topics.values()) size += partitions.size;
    return size;
  }

  /** One past this record; as `markNextOffset`. */
  markMessage(record: MarkedRecord, metadata?: string): boolean {
    const { topic, partition, offset, leaderEpoch = -1 } = record;
    return this.markNextOffset(topic, partition, offset + 1, metadata, leaderEpoch);
  }

  /** The next offset to read. False, and nothing changes, where a larger one is stashed already. */
  markNextOffset(
    topic: string,
    partition: number,
    offset: number,
    metadata?: string,
    leaderEpoch = -1,
  ): boolean {
    checkNextOffset(offset);
    const stashed = this.at(topic, partition);
    return noted(stashed, stashed.mark.mark(offset, metadata, leaderEpoch), metadata);
  }

  /** Back to this offset. False, and nothing changes, where a smaller one is stashed already. */
  resetOffset(topic: string, partition: number, offset: number, metadata?: string): boolean {
    checkNextOffset(offset);
    const stashed = this.at(topic, partition);
    return noted(stashed, stashed.mark.reset(offset, metadata), metadata);
  }

  *[Symbol.iterator](): IterableIterator<StashedOffset> {
    for (const partitions of this.topics.values()) {
      for (const { topic, partition, mark, hasMetadata } of partitions.values()) {
        const { offset, leaderEpoch } = mark;
        yield { topic, partition, offset, leaderEpoch, metadata: hasMetadata ? mark.metadata : undefined };
      }
    }
  }

  private at(topic: string, partition: number): Stashed {
    let partitions = this.topics.get(topic);
    if (partitions === undefined) this.topics.set(topic, (partitions = new Map<number, Stashed>()));
    let stashed = partitions.get(partition);
    if (stashed === undefined) {
      stashed = { topic, partition, mark: new OffsetMark(Infinity, '', -1, false), hasMetadata: false };
      partitions.set(partition, stashed);
    }
    return stashed;
  }
}

function noted(stashed: Stashed, moved: boolean, metadata: string | undefined): boolean {
  if (moved && metadata !== undefined) stashed.hasMetadata = true;
  return moved;
}
