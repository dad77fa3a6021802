// Where a policy sends what a stage cannot handle: the original records, with headers that tell their story.
import type { Clock } from '../core/clock.ts';
import type { ConsumerRecord, ProducerRecord } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import { causeOf, failureHeaders, type FailureHeaders } from '../flow/failure-headers.ts';
import { DeadLetterPolicy, type ErrorPolicy } from '../flow/policy.ts';
import type { StageError } from '../flow/stage-error.ts';
import { writeLetters, type LetterRuntime } from './letters.ts';

/** What a policy needs of the run it is part of. */
export interface PolicyRuntime extends LetterRuntime {
  readonly clock: Clock;
}

/** Options of `deadLetter`. */
export interface DeadLetterOptions {
  /**
   * Whose names the headers have. Default 'streams': Kafka Streams' of KIP-1034 (`__streams.errors.exception`, ...); 'connect': Kafka Connect's
   * (`__connect.errors.topic`, ...); 'spring': Spring Kafka's (`kafka_dlt-original-topic`, ...), with its binary numbers.
   */
  readonly headers?: FailureHeaders | undefined;
}

const FAMILIES: readonly unknown[] = ['streams', 'connect', 'spring'] satisfies FailureHeaders[];

/** @throws UsageError for what is no family of headers. */
export function checkFailureHeaders(what: string, headers: unknown): void {
  if (headers === undefined || FAMILIES.includes(headers)) return;
  throw new UsageError(
    `${what}: 'headers' is 'streams', 'connect' or 'spring', not ${JSON.stringify(headers)}`,
    'headers',
  );
}

/** Key, value and time of a record, to be written again: byte for byte. */
export function copyOf(
  record: ConsumerRecord,
  headers: NonNullable<ProducerRecord['headers']>,
): ProducerRecord {
  const { key, value, timestamp } = record;
  return { key, value, headers, timestamp: timestamp < 0 ? undefined : timestamp };
}

function letterOf(
  record: ConsumerRecord,
  error: StageError,
  family: FailureHeaders,
  failedAt: number,
): ProducerRecord {
  const { topic, partition, offset } = record;
  const failure = {
    topic,
    partition,
    offset,
    cause: causeOf(error.cause),
    stage: error.stage,
    attempts: error.attempt,
    retries: 0,
    firstFailedAt: undefined,
    failedAt,
    dueAt: undefined,
  };
  return copyOf(record, [...record.headers, ...failureHeaders(failure, family, false)]);
}

/**
 * Writes the records behind a failed delivery to `topic`, one per origin, byte for byte, and settles the delivery when all are acknowledged. A letter
 * that cannot be written, and a value of a plain source (which has no record), is a failure.
 */
export function deadLetterPolicy(
  runtime: PolicyRuntime,
  topic: string,
  options: DeadLetterOptions = {},
): ErrorPolicy {
  if (typeof topic !== 'string' || topic === '')
    throw new UsageError(`deadLetter: 'topic' is a name, not ${JSON.stringify(topic)}`, 'topic');
  checkFailureHeaders('deadLetter', options.headers);
  const family = options.headers ?? 'streams';
  return new DeadLetterPolicy((delivery, error) => {
    const records: ConsumerRecord[] = [];
    for (const { record } of delivery.origins) if (record !== undefined) records.push(record);
    if (records.length === 0) {
      delivery.nack(error);
      return;
    }
    const failedAt = runtime.clock.wallNow();
    const letters = records.map((record) => ({ topic, record: letterOf(record, error, family, failedAt) }));
    writeLetters(runtime, delivery, error, letters);
  });
}
