// The numbers a consumer starts with, each with its reason.

/** How much of one partition may be under way at once. */
export interface Credit {
  /** Unsettled, unheld records. */
  readonly records: number;
  /** Bytes of those records. */
  readonly bytes: number;
  /** Records between the oldest unsettled one and the newest handed over: what a crash replays at most. */
  readonly span: number;
}

/**
 * 10,000 records: two to three milliseconds of work at full speed, far more than any sensible concurrency, and little enough that a stalled
 * pipeline holds a few megabytes. 16 MiB: large records reach this limit first; three partitions at it stay inside the default budget.
 * A span of 1,000,000 bounds the tracker at about 34 MB for a partition whose head is stuck.
 */
export const DEFAULT_CREDIT: Credit = { records: 10_000, bytes: 16 * 1024 * 1024, span: 1_000_000 };

/** One consumer's fetch buffers and retained batches: as much as Kafka's own `fetch.max.bytes` (50 MiB), rounded up to a power of two. */
export const DEFAULT_BUDGET_BYTES = 64 * 1024 * 1024;

/** Kafka's `fetch.max.wait.ms`: how long a broker may hold a fetch that has nothing to say. */
export const DEFAULT_MAX_WAIT_MS = 500;

/** Kafka's `fetch.min.bytes`: answer as soon as there is anything. */
export const DEFAULT_MIN_BYTES = 1;

/** Kafka's `max.partition.fetch.bytes`; a partition whose share of the budget is smaller asks for less. */
export const DEFAULT_PARTITION_FETCH_BYTES = 1024 * 1024;

/**
 * How far one partition is read ahead of its pipeline, share of the budget permitting: some 10 ms of work at full speed, several round
 * trips on a fast network and one on a slow one.
 */
export const DEFAULT_PREFETCH_BYTES = 4 * 1024 * 1024;

/** How far all partitions together are read ahead, beyond one ask each: with many of them, reading on would only fill memory. */
export const DEFAULT_TOTAL_PREFETCH_BYTES = 16 * 1024 * 1024;

/** The least worth asking for when there is room: smaller asks would cost more in requests than they bring. */
export const MIN_FETCH_BYTES = 16 * 1024;

/** A batch may unpack to this much at most; beyond it, it is taken for a decompression bomb. */
export const DEFAULT_MAX_BATCH_BYTES = 128 * 1024 * 1024;

/** A record passes on to the event loop after this long. */
export const EMISSION_SLICE_MS = 8;

/** Connections per broker for fetches: one long poll, one more beside it, and one that never waits so that room regained is used at once. */
export const FETCH_CONNECTIONS = 3;

/** How long a topic may be missing from the cluster's metadata before it counts as deleted: a broker that starts knows less than the rest. */
export const MISSING_TOPIC_GRACE_MS = 5_000;

/** A reader that looks for a topic must not bring a deleted one back. */
export const NO_CREATION = { allowAutoTopicCreation: false } as const;

/** Java's `metadata.max.age.ms`: how long a follower is read from before the leader is asked again. */
export const DEFAULT_REPLICA_LEASE_MS = 300_000;
