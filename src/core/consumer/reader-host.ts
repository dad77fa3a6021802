// What a reader needs of the fetcher that feeds it.

import type { Clock } from '../clock.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { EmissionLoop } from './emission-loop.ts';
import type { PartitionReader } from './partition-reader.ts';

/** The fetcher, seen from its readers. */
export interface ReaderHost {
  readonly clientId: string;
  readonly clock: Clock;
  readonly loop: EmissionLoop;
  readonly budget: ByteBudget;
  readonly partitionFetchBytes: number;
  readonly prefetchBytes: number;
  /** Of all readers together. */
  readonly totalPrefetchBytes: number;
  readonly maxBatchBytes: number;
  readonly readCommitted: boolean;
  /** The reader has room for more. */
  wake(reader: PartitionReader): void;
  /** The reader was closed. */
  closed(reader: PartitionReader): void;
}
