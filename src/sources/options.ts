// Options of the sources that read from the cluster, and the types they infer.
import type { Buffer } from 'node:buffer';
import type { ConsumerRecord } from '../core/records/types.ts';
import type { ErrorPolicy } from '../flow/policy.ts';
import type { Deserializer } from '../serdes/serde.ts';

/** How keys and values are read; raw bytes (or null) without. */
export interface Formats<out K, out V> {
  readonly key?: Deserializer<K> | undefined;
  readonly value?: Deserializer<V> | undefined;
}

type Read<F, P extends string> = F extends { readonly [X in P]: Deserializer<infer T> } ? T : Buffer | null;

/** The records of a map of topics to formats, as a union told apart by `topic`. */
export type RecordOf<M> = {
  [N in keyof M & string]: ConsumerRecord<Read<M[N], 'key'>, Read<M[N], 'value'>, N>;
}[keyof M & string];

/** What a source may have on its way at once, per claim. */
export interface Credit {
  /** Unsettled, unheld records. */
  readonly records?: number;
  /** Bytes retained by them. */
  readonly bytes?: number;
  /** Records between the head and the commit point; bounds what is replayed after a crash. */
  readonly span?: number;
}

/** How much is fetched, and of what; the names are Kafka's, in camelCase. */
export interface FetchTuning {
  /** Fetch buffers and retained batches of all partitions of the source together. Default 64 MiB. */
  readonly budgetBytes?: number | undefined;
  /** Default 'read_uncommitted', as Kafka's. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed' | undefined;
  /** When the log does not hold the position (any more): fail, or go on at an end. Default 'fail'. */
  readonly outOfRange?: 'fail' | 'earliest' | 'latest' | undefined;
  /** How long a broker may hold a fetch that has nothing to say. Default 500 ms. */
  readonly fetchMaxWaitMs?: number | undefined;
  /** Default 1. */
  readonly fetchMinBytes?: number | undefined;
}

/** What reading with and without a group have in common. */
export interface ReadOptions {
  readonly credit?: Credit | undefined;
  /** What becomes of a record whose key or value does not decode: a `StageError` of stage 'decode'. Default `fail`. */
  readonly onDecodeError?: ErrorPolicy | undefined;
}

/** Options of `fromGroup`. */
export interface GroupOptions extends ReadOptions, FetchTuning {
  readonly groupId: string;
  /** How long a revoked or drained claim may take to settle what was handed over. Default 30,000 ms. */
  readonly drainTimeoutMs?: number | undefined;
  /** Where partitions without a commit start. Default 'earliest'. Partitions that appear later always start at the earliest. */
  readonly start?: Position | undefined;
  /** Without a heartbeat for this long the member is dead. Default 45,000 ms. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Default 3,000 ms. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** How long the group waits for a member in a rebalance. Default 60,000 ms; must exceed drain + commit + heartbeat interval. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** Default 5,000 ms. */
  readonly commitIntervalMs?: number | undefined;
  /** How long one commit is repeated before it has failed. Default 5,000 ms. */
  readonly commitTimeoutMs?: number | undefined;
  /** Commit when this many records were settled, before the interval is over. Default 10,000. */
  readonly commitEveryRecords?: number | undefined;
}

/** A place in a partition: its ends, an offset, or the first record at or after a time (milliseconds since 1970). */
export type Position = 'earliest' | 'latest' | number | { readonly timestamp: number };

/** Options of `fromPartitions`. */
export interface PartitionsOptions<K, V, N extends string> extends ReadOptions, FetchTuning, Formats<K, V> {
  readonly topic: N;
  /** Default: all partitions the topic has. */
  readonly partitions?: readonly number[];
  readonly from: Position | { readonly committedBy: string };
  /** Where to stop, exclusive; 'latest' is the end as it stands at the start. Without it the flow never completes. */
  readonly to?: Position;
  /** The same as `to: 'latest'`. */
  readonly until?: 'end';
}
