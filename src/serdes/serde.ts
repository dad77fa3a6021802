// What turns values into bytes and back, on both ends of a topology.
import type { Bytes, RecordHeaders } from '../core/records/types.ts';

/** Where the bytes come from or go to. */
export interface SerdeContext {
  readonly topic: string;
  readonly part: 'key' | 'value';
  readonly headers: RecordHeaders;
}

/** Turns a value into bytes; a string is written as UTF-8. What it throws is the record's stage error. */
export interface Serializer<in T> {
  serialize(value: T, context: SerdeContext): Bytes;
  /**
   * For a format that has to know something first (the number of its schema): asked before each record; a promise is waited for, by the record and those behind it,
   * and what it rejects with is the record's stage error. Undefined when it is ready for this topic.
   */
  prepareToSerialize?(place: Pick<SerdeContext, 'topic' | 'part'>): Promise<void> | undefined;
}

/**
 * Turns bytes into a value. A null key or value reaches it only when `nullable` is true (see {@link nullable}); otherwise a null key is passed on
 * as an error. `prepare` may return a promise for what `deserialize` needs for these bytes (a schema to load): the record and those behind
 * it in its partition wait for it, in order.
 */
export interface Deserializer<out T> {
  readonly nullable?: boolean;
  deserialize(data: Buffer, context: SerdeContext): T;
  /**
   * For a format that is text: called instead of `deserialize`, with the bytes read as UTF-8. Worth having where records are small: no Buffer
   * is made on the way.
   */
  deserializeText?(text: string, context: SerdeContext): T;
  prepare?(data: Buffer, context: SerdeContext): Promise<void> | undefined;
}

/** Both directions in one. */
export interface Serde<in I, out O = I> extends Serializer<I>, Deserializer<O> {}
