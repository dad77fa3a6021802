// From raw records to typed ones, per topic, by the user's deserializers.
import { UsageError } from '../errors.ts';
import type { FetchedRecord } from '../core/records/fetched-record.ts';
import type { ConsumerRecord, RecordHeaders } from '../core/records/types.ts';
import type { Deserializer, SerdeContext } from '../serdes/serde.ts';
import { ownBytes } from './copy.ts';
import type { Formats } from './options.ts';

/** Stands for a key or value that no deserializer is given for. */
const AS_IT_IS: unique symbol = Symbol('as it is');

/** A raw record with its key or value read. */
class TypedRecord implements ConsumerRecord<unknown, unknown> {
  private readonly typedKey: unknown;
  private readonly typedValue: unknown;
  private readonly raw: FetchedRecord;

  constructor(raw: FetchedRecord, key: unknown, value: unknown) {
    this.raw = raw;
    this.typedKey = key;
    this.typedValue = value;
  }

  get key(): unknown {
    return this.typedKey === AS_IT_IS ? this.raw.key : this.typedKey;
  }

  get value(): unknown {
    return this.typedValue === AS_IT_IS ? this.raw.value : this.typedValue;
  }

  get topic(): string {
    return this.raw.topic;
  }

  get partition(): number {
    return this.raw.partition;
  }

  get offset(): number {
    return this.raw.offset;
  }

  get timestamp(): number {
    return this.raw.timestamp;
  }

  get timestampBigInt(): bigint {
    return this.raw.timestampBigInt;
  }

  get timestampType(): 'create' | 'append' {
    return this.raw.timestampType;
  }

  get leaderEpoch(): number {
    return this.raw.leaderEpoch;
  }

  get headers(): RecordHeaders {
    return this.raw.headers;
  }

  copy(): TypedRecord {
    return new TypedRecord(this.raw.copy(), ownBytes(this.typedKey), ownBytes(this.typedValue));
  }
}

/** Valid during one call of a deserializer; headers are parsed only if it asks. */
class DecodeContext implements SerdeContext {
  readonly topic: string;
  readonly part: 'key' | 'value';
  record: FetchedRecord | undefined;

  constructor(topic: string, part: 'key' | 'value') {
    this.topic = topic;
    this.part = part;
  }

  get headers(): RecordHeaders {
    return this.record!.headers;
  }
}

class PartDecoder {
  private readonly deserializer: Deserializer<unknown>;
  private readonly context: DecodeContext;
  private readonly isKey: boolean;

  constructor(deserializer: Deserializer<unknown>, topic: string, part: 'key' | 'value') {
    this.deserializer = deserializer;
    this.isKey = part === 'key';
    this.context = new DecodeContext(topic, part);
  }

  decode(record: FetchedRecord): unknown {
    const { context, deserializer } = this;
    context.record = record;
    if (deserializer.deserializeText !== undefined) {
      const text = this.isKey ? record.keyText : record.valueText;
      return text === null ? this.decodeNull() : deserializer.deserializeText(text, context);
    }
    const data = this.isKey ? record.key : record.value;
    return data === null ? this.decodeNull() : deserializer.deserialize(data, context);
  }

  private decodeNull(): null {
    if (this.deserializer.nullable === true) return null;
    const { topic, part } = this.context;
    throw new UsageError(
      `the ${part} of a record of topic '${topic}' is null; read it with nullable(...)`,
      part,
    );
  }

  prepare(record: FetchedRecord): Promise<void> | undefined {
    if (this.deserializer.prepare === undefined) return undefined;
    this.context.record = record;
    const data = this.isKey ? record.key : record.value;
    try {
      return data === null ? undefined : this.deserializer.prepare(data, this.context);
    } catch (cause) {
      // In its turn, like one that takes its time to refuse.
      return Promise.reject(cause);
    }
  }
}

/** Makes of raw records what a flow gets. */
export interface RecordDecoder {
  /** False when records are handed on raw. */
  readonly needed: boolean;
  /** Throws what the deserializer throws. */
  decode(record: FetchedRecord): ConsumerRecord<unknown, unknown>;
  /** What must be awaited before `decode`; undefined when nothing. */
  prepare(record: FetchedRecord): Promise<unknown> | undefined;
}

/** Reads the records of one topic. */
export class Decoder implements RecordDecoder {
  readonly needed: boolean;
  private readonly key: PartDecoder | undefined;
  private readonly value: PartDecoder | undefined;
  private readonly prepares: boolean;

  constructor(topic: string, formats: Formats<unknown, unknown>) {
    const { key, value } = formats;
    this.key = key === undefined ? undefined : new PartDecoder(key, topic, 'key');
    this.value = value === undefined ? undefined : new PartDecoder(value, topic, 'value');
    this.needed = this.key !== undefined || this.value !== undefined;
    this.prepares = key?.prepare !== undefined || value?.prepare !== undefined;
  }

  decode(record: FetchedRecord): ConsumerRecord<unknown, unknown> {
    const key = this.key === undefined ? AS_IT_IS : this.key.decode(record);
    const value = this.value === undefined ? AS_IT_IS : this.value.decode(record);
    return new TypedRecord(record, key, value);
  }

  prepare(record: FetchedRecord): Promise<unknown> | undefined {
    if (!this.prepares) return undefined;
    const key = this.key?.prepare(record);
    const value = this.value?.prepare(record);
    return key === undefined ? value : value === undefined ? key : Promise.all([key, value]);
  }
}
