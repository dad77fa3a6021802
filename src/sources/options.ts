// Options of the sources that read from the cluster, and the types they infer.
import type { Buffer } from 'node:buffer';
import type { FetcherOptions, Position } from '../core/consumer/options.ts';
import type { GroupConsumerOptions } from '../core/group/options.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import type { ErrorPolicy } from '../flow/policy.ts';
import type { Deserializer } from '../serdes/serde.ts';
import type { RetryTopics } from '../sinks/retry-topics.ts';

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
export type FetchTuning = FetcherOptions;

/** What reading with and without a group have in common. */
export interface ReadOptions {
  readonly credit?: Credit | undefined;
  /** What becomes of a record whose key or value does not decode: a `StageError` of stage 'decode'. Default `fail`. */
  readonly onDecodeError?: ErrorPolicy | undefined;
}

/** Options of `fromGroup`: all those of the client's group consumer. */
export interface GroupOptions
  extends
    ReadOptions,
    Omit<GroupConsumerOptions, 'topics' | 'from' | 'credit' | 'committer' | 'earliestTopics'> {
  /** Where partitions without a commit start. Default 'earliest'. Partitions that appear later always start at the earliest. */
  readonly start?: Position | undefined;
  /**
   * Reads the topics of these `retryTopics(...)` too, from their beginning on: a record that lies in one is handed over when its delay is over, with topic, partition
   * and offset of the original and by its formats. Default: none.
   */
  readonly retryTopics?: RetryTopics | undefined;
}

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
