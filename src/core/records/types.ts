// Records as a user meets them, in and out. Structural types only; the classes behind them are in this folder.

/** Bytes to write: a string is written as UTF-8. */
export type Bytes = Uint8Array | string;

/** The ordered headers of a record; names may repeat, values may be null. */
export interface RecordHeaders extends Iterable<readonly [string, Buffer | null]> {
  /** The last value under `name` (Kafka's `lastHeader`): null when it is null, undefined when there is none. */
  get(name: string): Buffer | null | undefined;
  /** As `get`, decoded as UTF-8. */
  text(name: string): string | null | undefined;
  /** Every value under `name`, in order. */
  all(name: string): readonly (Buffer | null)[];
}

/** Headers to write: an object (undefined values are left out) or an ordered list with duplicates. */
export type HeadersInit =
  { readonly [name: string]: Bytes | null | undefined } | Iterable<readonly [string, Bytes | null]>;

/**
 * A record read from a partition. `offset` and `timestamp` are numbers; `timestamp` is milliseconds since 1970, the nearest number to the
 * 64-bit value on the wire, -1 for none. `leaderEpoch` is the epoch under which its batch was written, -1 when unknown.
 */
export interface ConsumerRecord<out K = Buffer | null, out V = Buffer | null, out N extends string = string> {
  readonly topic: N;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  /** The timestamp exactly as written, whatever unit the writer took: nanoseconds do not fit a number. Made when it is asked for. */
  readonly timestampBigInt: bigint;
  readonly timestampType: 'create' | 'append';
  readonly leaderEpoch: number;
  readonly key: K;
  readonly value: V;
  readonly headers: RecordHeaders;
}

/** A record to write. `value: null` is a tombstone; a missing key is a null key; empty is not null. */
export interface ProducerRecord<out K = Bytes, out V = Bytes> {
  readonly key?: K | null | undefined;
  readonly value: V | null;
  readonly headers?: HeadersInit | undefined;
  /** Milliseconds since 1970; default now. */
  readonly timestamp?: number | undefined;
  readonly partition?: number | undefined;
}
