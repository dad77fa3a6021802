// How a test writes and reads one topic.
import type { Buffer } from 'node:buffer';
import { headersFrom } from '../../core/records/headers.ts';
import type { ConsumerRecord, ProducerRecord } from '../../core/records/types.ts';
import { UsageError } from '../../errors.ts';
import type { Deserializer, SerdeContext, Serializer } from '../../serdes/serde.ts';
import { Encoder } from '../../sinks/outgoing.ts';
import type { DumpedRecord } from '../broker/inspect.ts';
import { fieldsGiven } from '../marbles-record.ts';
import type { PipedRecord, TestFormat, TestTopic } from './types.ts';

type Part = 'key' | 'value';

/** Serializes and deserializes the records of one topic. */
export class TopicFormats {
  private readonly topic: string;
  private readonly formats: Pick<TestTopic, Part>;
  private encoder: Encoder | undefined;

  constructor(topic: string, formats: Pick<TestTopic, Part>) {
    this.topic = topic;
    this.formats = formats;
  }

  /** What must be awaited before `encode`; undefined when nothing. */
  prepare(): Promise<unknown> | undefined {
    return this.encoderNow().prepare();
  }

  /** Throws what the serializer throws, and UsageError for what is no record. */
  encode(record: PipedRecord<unknown, unknown>, now: number): ProducerRecord {
    const { key, value, headers, timestamp = now, partition } = whatToPipe(this.topic, record);
    return this.encoderNow().encode({ key, value, headers, partition }, timestamp);
  }

  async decode(partition: number, dumped: DumpedRecord): Promise<ConsumerRecord<unknown, unknown>> {
    const { offset, timestamp, leaderEpoch } = dumped;
    const headers = headersFrom(dumped.headers);
    const read = (part: Part, data: Buffer | null): Promise<unknown> =>
      this.read(data, { topic: this.topic, part, headers }, `${this.topic}-${partition} offset ${offset}`);
    return {
      topic: this.topic,
      partition,
      offset,
      timestamp,
      timestampBigInt: BigInt(timestamp),
      timestampType: 'create',
      leaderEpoch,
      key: await read('key', dumped.key),
      value: await read('value', dumped.value),
      headers,
    };
  }

  private async read(data: Buffer | null, context: SerdeContext, place: string): Promise<unknown> {
    const format = this.formats[context.part];
    if (format === undefined || data === null) return data;
    if (!isDeserializer(format))
      throw new UsageError(
        `the ${context.part} of topic '${this.topic}' was given a serializer only; reading it takes a serde or a deserializer`,
        context.part,
      );
    try {
      await format.prepare?.(data, context);
      return format.deserializeText === undefined
        ? format.deserialize(data, context)
        : format.deserializeText(data.toString('utf8'), context);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the ${context.part} at ${place} does not decode: ${why}`, { cause });
    }
  }

  private encoderNow(): Encoder {
    this.encoder ??= new Encoder(this.topic, this.serializer('key'), this.serializer('value'));
    return this.encoder;
  }

  private serializer(part: Part): Serializer<unknown> | undefined {
    const format = this.formats[part];
    if (format === undefined || isSerializer(format)) return format;
    throw new UsageError(
      `the ${part} of topic '${this.topic}' was given a deserializer only; piping into it takes a serde or a serializer`,
      part,
    );
  }
}

function isDeserializer(format: TestFormat): format is Deserializer<unknown> {
  return 'deserialize' in format && typeof format.deserialize === 'function';
}

function isSerializer(format: TestFormat): format is Serializer<unknown> {
  return 'serialize' in format && typeof format.serialize === 'function';
}

/** A record that was read elsewhere lies in a partition of its own topic, and one of `record(...)` in none: neither says where it is to go. */
function whatToPipe(topic: string, record: PipedRecord<unknown, unknown>): PipedRecord<unknown, unknown> {
  if (typeof record !== 'object' || record === null)
    throw new UsageError(
      `pipe '${topic}': a record is an object with key and value, not ${typeof record}`,
      'records',
    );
  const given = fieldsGiven(record);
  if (given !== undefined) return given;
  if (!('timestampType' in record)) return record;
  const { key, value, headers, timestamp } = record;
  return { key, value, headers, timestamp: timestamp === undefined || timestamp < 0 ? undefined : timestamp };
}
