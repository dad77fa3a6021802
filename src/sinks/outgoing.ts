// From what a project function answers to what the producer takes: serialized, checked, stamped.
import { headersFrom } from '../core/records/headers.ts';
import type { Bytes, HeadersInit, ProducerRecord, RecordHeaders } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import type { SerdeContext, Serializer } from '../serdes/serde.ts';

/** A record as the producer takes it. */
export interface OutgoingRecord extends ProducerRecord {
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly timestamp: number | undefined;
}

class Outgoing implements OutgoingRecord {
  key: Bytes | null = null;
  value: Bytes | null = null;
  headers: HeadersInit | undefined = undefined;
  partition: number | undefined = undefined;
  timestamp: number | undefined = undefined;
}

/** Valid during one call of a serializer; headers are read only if it asks. */
class EncodeContext implements SerdeContext {
  readonly topic: string;
  readonly part: 'key' | 'value';
  init: HeadersInit | undefined;

  constructor(topic: string, part: 'key' | 'value') {
    this.topic = topic;
    this.part = part;
  }

  get headers(): RecordHeaders {
    return headersFrom(this.init);
  }
}

/** Serializes the records of one topic. */
export class Encoder {
  private readonly label: string;
  private readonly key: Serializer<unknown> | undefined;
  private readonly value: Serializer<unknown> | undefined;
  private readonly keyContext: EncodeContext;
  private readonly valueContext: EncodeContext;
  private readonly shared = new Outgoing();
  /** False when its serializers are always ready. */
  readonly prepares: boolean;

  /** `label` is how its messages begin. */
  constructor(
    topic: string,
    key: Serializer<unknown> | undefined,
    value: Serializer<unknown> | undefined,
    label = `toTopic '${topic}'`,
  ) {
    this.label = label;
    this.key = key;
    this.value = value;
    this.keyContext = new EncodeContext(topic, 'key');
    this.valueContext = new EncodeContext(topic, 'value');
    this.prepares = key?.prepareToSerialize !== undefined || value?.prepareToSerialize !== undefined;
  }

  /** What must be awaited before `encode`; undefined when nothing. */
  prepare(): Promise<unknown> | undefined {
    if (!this.prepares) return undefined;
    try {
      const key = this.key?.prepareToSerialize?.(this.keyContext);
      const value = this.value?.prepareToSerialize?.(this.valueContext);
      return key === undefined ? value : value === undefined ? key : Promise.all([key, value]);
    } catch (cause) {
      return Promise.reject(cause);
    }
  }

  /** Throws UsageError for a value that is undefined or not bytes, and what the serializers throw. */
  encode(record: ProducerRecord<unknown, unknown>, timestamp: number | undefined): OutgoingRecord {
    return this.encodeInto(new Outgoing(), record, timestamp);
  }

  /** As `encode`, for a record that is read at once: it is good until the next one is encoded. */
  encodeShared(record: ProducerRecord<unknown, unknown>, timestamp: number | undefined): OutgoingRecord {
    return this.encodeInto(this.shared, record, timestamp);
  }

  private encodeInto(
    out: Outgoing,
    record: ProducerRecord<unknown, unknown>,
    timestamp: number | undefined,
  ): OutgoingRecord {
    if (typeof record !== 'object' || record === null) {
      throw new UsageError(
        `${this.label}: the project function answers with a record or an array of records, not ${String(record)}`,
      );
    }
    const { headers, partition } = record;
    const key = this.part(record.key ?? null, this.key, this.keyContext, headers);
    const value = this.part(record.value, this.value, this.valueContext, headers);
    // Only now: a serializer that sends something itself must not change what is half filled in.
    out.key = key;
    out.value = value;
    out.headers = headers;
    out.partition = partition;
    out.timestamp = record.timestamp ?? timestamp;
    return out;
  }

  private part(
    value: unknown,
    serializer: Serializer<unknown> | undefined,
    context: EncodeContext,
    headers: HeadersInit | undefined,
  ): Bytes | null {
    if (value === null) return null;
    const { part } = context;
    if (value === undefined) {
      throw new UsageError(
        `${this.label}: the ${part} is undefined; null is a tombstone, and an empty string is not null`,
        part,
      );
    }
    context.init = headers;
    const out = serializer === undefined ? value : serializer.serialize(value, context);
    if (typeof out === 'string' || out instanceof Uint8Array) return out;
    const what =
      serializer === undefined
        ? `is ${typeof value === 'object' ? 'an' : 'a'} ${typeof value} and has no serializer`
        : 'was serialized to something else than bytes';
    throw new UsageError(
      `${this.label}: the ${part} ${what}; give a string, a Uint8Array, or a serializer in the third argument`,
      part,
    );
  }
}
