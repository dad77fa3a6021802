// How partitions are read: options shared by reader, fetcher and positions.

import type { Credit } from './defaults.ts';
import type { RecordInterceptor } from './intercepted-listener.ts';

/** Kafka's `isolation.level`. 'read_committed' hides aborted records and stops at the last stable offset. */
export type IsolationLevel = 'read_uncommitted' | 'read_committed';

/**
 * What to do when the log does not hold the position any more (or not yet): fail naming the range, go on at one of its ends, or at the first record
 * that is not older than so many milliseconds (KIP-1106), the end when there is none. Where the log was truncated below the position (KIP-320),
 * all but 'fail' go on at the cut.
 */
export type OutOfRange = 'fail' | 'earliest' | 'latest' | { readonly byMs: number };

/** A fetch that failed and is repeated with backoff. */
export interface FetchTrouble {
  readonly nodeId: number;
  readonly error: unknown;
  /** How many partitions it was for. */
  readonly partitions: number;
  /** Failures in a row, of the partition that has most. */
  readonly failures: number;
}

/** Where to start or end; a timestamp (milliseconds since 1970) means the first record at or after it, the end when there is none. */
export type Position = 'earliest' | 'latest' | number | { readonly timestamp: number };

/** A position, or what a group committed (earliest for partitions without a commit). */
export type StartPosition = Position | { readonly committedBy: string };

/** Where one partition is read from and under which limits. */
export interface ReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's topic id. Default: what the metadata says when the reader is added to a fetcher. */
  readonly topicId?: string | undefined;
  readonly startOffset: number;
  /** Leader epoch of the record before `startOffset` (a commit carries it); lets the broker find out that the log was truncated. Default -1. */
  readonly startLeaderEpoch?: number | undefined;
  /** Metadata string of the commit that the reader starts from. Default ''. */
  readonly commitMetadata?: string | undefined;
  /** Stop before this offset and call `onEnd`. Default: never. */
  readonly to?: number | undefined;
  readonly claimEpoch?: number | undefined;
  /** Default {@link DEFAULT_CREDIT}, each member by itself. */
  readonly credit?: Partial<Credit> | undefined;
  /** See every record once, in this order, before the listener. Default: the fetcher's. */
  readonly interceptors?: readonly RecordInterceptor[] | undefined;
}

/** Options of a fetcher; one per consumer. */
export interface FetcherOptions {
  /** Fetch buffers and retained batches of all readers together. Default 64 MiB. */
  readonly budgetBytes?: number | undefined;
  /** Default 'read_uncommitted', as Kafka's. */
  readonly isolationLevel?: IsolationLevel | undefined;
  /** Default 'fail'. */
  readonly outOfRange?: OutOfRange | undefined;
  /** Where this client runs, as the brokers' `broker.rack`: with a replica selector on the brokers, records come from the nearest replica (KIP-392). Default: from the leader. */
  readonly rackId?: string | undefined;
  /** How long a follower is read from before the leader is asked again. Default five minutes, Java's `metadata.max.age.ms`. */
  readonly replicaLeaseMs?: number | undefined;
  /** See every record once before it is handed over, in this order. */
  readonly interceptors?: readonly RecordInterceptor[] | undefined;
  /** Called for each fetch that failed and is repeated. Must not throw. */
  readonly onTrouble?: ((trouble: FetchTrouble) => void) | undefined;
  /** Default 500. */
  readonly fetchMaxWaitMs?: number | undefined;
  /** Default 1. */
  readonly fetchMinBytes?: number | undefined;
  /** The most one request asks of one partition. Default 1 MiB, less where its share of the budget is smaller. */
  readonly partitionFetchBytes?: number | undefined;
  /** How far a partition is read ahead of its pipeline. Default 4 MiB, less where its share of the budget is smaller. */
  readonly prefetchBytes?: number | undefined;
  /** The most one batch may unpack to; a larger one ends its partition with a CompressionError. Default 128 MiB. */
  readonly maxBatchBytes?: number | undefined;
}
