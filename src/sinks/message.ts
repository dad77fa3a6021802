import type { Bytes, ProducerRecord } from '../core/records/types.ts';
import type { Serializer } from '../serdes/serde.ts';
import { UsageError } from '../errors.ts';
import { Encoder, type OutgoingRecord } from './outgoing.ts';

/** A record to write, and where to. */
export interface Message<K = Bytes, V = Bytes> extends ProducerRecord<K, V> {
  /** Default: the producer's own. */
  readonly topic?: string | undefined;
}

/** Where a message ended up. */
export interface Placement {
  readonly topic: string;
  readonly partition: number;
  /** -1 when unknown: with acks=0, and for a repeated batch that the broker knows without its place. */
  readonly offset: number;
  /** The record's, or the broker's where the topic stamps records itself. */
  readonly timestamp: number;
}

/** How messages become records. */
export interface MessageFormat<K, V> {
  /** For messages that name none. */
  readonly topic?: string | undefined;
  /** Default: keys and values are strings, bytes or null. */
  readonly key?: Serializer<K> | undefined;
  readonly value?: Serializer<V> | undefined;
}

/** Serializes messages, with one encoder for each topic. */
export class MessageEncoder<K, V> {
  private readonly format: MessageFormat<K, V>;
  private readonly what: string;
  private readonly encoders = new Map<string, Encoder>();

  /** `what` is how its messages begin. */
  constructor(format: MessageFormat<K, V>, what: string) {
    this.format = format;
    this.what = what;
  }

  topicOf({ topic = this.format.topic }: Message<K, V>): string {
    if (typeof topic === 'string' && topic !== '') return topic;
    throw new UsageError(
      `${this.what}: the message names no topic, and the producer has none of its own`,
      'topic',
    );
  }

  /** False when its serializers are always ready. */
  get prepares(): boolean {
    const { key, value } = this.format;
    return key?.prepareToSerialize !== undefined || value?.prepareToSerialize !== undefined;
  }

  /** What must be awaited before a message for this topic is encoded; undefined when nothing. */
  prepare(topic: string): Promise<unknown> | undefined {
    return this.encoderOf(topic).prepare();
  }

  /** Good until the next one is encoded. Throws what a serializer throws, and UsageError for what is no record. */
  encode(topic: string, message: Message<K, V>): OutgoingRecord {
    return this.encoderOf(topic).encodeShared(message, undefined);
  }

  private encoderOf(topic: string): Encoder {
    let encoder = this.encoders.get(topic);
    if (encoder === undefined) {
      const { key, value } = this.format;
      encoder = new Encoder(
        topic,
        key as Serializer<unknown> | undefined,
        value as Serializer<unknown> | undefined,
        `${this.what}, topic '${topic}'`,
      );
      this.encoders.set(topic, encoder);
    }
    return encoder;
  }
}
