import type { PartitionQueue } from './partition-queue.ts';

/** What sending needs to know about leaders. */
export interface Leaders {
  /** The broker that leads the partition; undefined while there is none, and the partition is looked at again when that changes. */
  nodeOf(partition: PartitionQueue): number | undefined;
  /** The leader of this partition may have changed. */
  suspect(partition: PartitionQueue): void;
}
