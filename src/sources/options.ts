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

/** What reading with and without a group have in common. */
export interface ReadOptions {
  readonly credit?: Credit | undefined;
  /** What becomes of a record whose key or value does not decode: a `StageError` of stage 'decode'. Default `fail`. */
  readonly onDecodeError?: ErrorPolicy | undefined;
}

/** Options of `fromGroup`. */
export interface GroupOptions extends ReadOptions {
  readonly groupId: string;
  /** How long a revoked or drained claim may take to settle what was handed over. Default 30,000 ms. */
  readonly drainTimeoutMs?: number | undefined;
}

/** A place in a partition: its ends, an offset, or the first record at or after a time (milliseconds since 1970). */
export type Position = 'earliest' | 'latest' | number | { readonly timestamp: number };

/** Options of `fromPartitions`. */
export interface PartitionsOptions<K, V, N extends string> extends ReadOptions, Formats<K, V> {
  readonly topic: N;
  /** Default: all partitions the topic has. */
  readonly partitions?: readonly number[];
  readonly from: Position | { readonly committedBy: string };
  /** Where to stop, exclusive; 'latest' is the end as it stands at the start. Without it the flow never completes. */
  readonly to?: Position;
}
