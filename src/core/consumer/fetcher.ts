// Reads many partitions: fetch loops per broker, one byte budget.

import type { Cluster } from '../cluster/cluster.ts';
import type { FetcherOptions, ReaderOptions } from './options.ts';
import type { PartitionReader } from './partition-reader.ts';

/** Feeds readers; one per consumer. */
export declare class Fetcher {
  constructor(cluster: Cluster, options?: FetcherOptions);
  /** Makes a reader and adds it. */
  open(options: ReaderOptions): PartitionReader;
  add(reader: PartitionReader): void;
  remove(reader: PartitionReader): void;
  /** Closes every reader. Does not wait: what brokers still answer is dropped. */
  close(): void;
}
