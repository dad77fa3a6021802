// Where a policy sends what a stage cannot handle: the original records, with headers that tell their story (KIP-1034).
import type { Receipt } from '../core/producer/receipt.ts';
import type { Bytes, ConsumerRecord, ProducerRecord } from '../core/records/types.ts';
import { UsageError, type KafkaError } from '../errors.ts';
import { handleOf, type Delivery } from '../flow/delivery.ts';
import { DeadLetterPolicy, type ErrorPolicy } from '../flow/policy.ts';
import type { StageError } from '../flow/stage-error.ts';
import type { SinkRuntime } from './to-topic.ts';

/** Header names of KIP-1034, so that tools which read Kafka Streams' dead letters read these. */
const PREFIX = '__streams.errors.';

/** A stack trace is for a reader, not an archive. */
const MAX_STACK_CHARACTERS = 8_192;

/** A dead letter on its way; settles the delivery when all of its records are answered. */
class DeadLetter implements Receipt {
  private readonly delivery: Delivery<unknown>;
  private readonly cause: StageError;
  private readonly runtime: SinkRuntime;
  private pending: number;
  private withdrawn = false;
  private error: KafkaError | undefined;

  constructor(delivery: Delivery<unknown>, cause: StageError, records: number, runtime: SinkRuntime) {
    this.delivery = delivery;
    this.cause = cause;
    this.pending = records;
    this.runtime = runtime;
  }

  onAcked(): void {
    this.runtime.countOut();
    this.answered();
  }

  onFailed(error: KafkaError): void {
    this.error ??= error;
    this.answered();
  }

  isWithdrawn(): boolean {
    return this.delivery.origins.every((origin) => origin.lost.aborted);
  }

  onWithdrawn(): void {
    this.withdrawn = true;
    this.answered();
  }

  private answered(): void {
    if (--this.pending > 0) return;
    // Not written, so not settled: its records are the next claim's.
    if (this.withdrawn) handleOf(this.delivery).giveUp();
    else if (this.error === undefined) this.delivery.ack();
    else
      this.delivery.nack(
        new AggregateError(
          [this.cause, this.error],
          'a stage failed, and its dead letter could not be written',
        ),
      );
  }
}

function textOf(cause: unknown): { name: string; message: string; stack: string } {
  if (!(cause instanceof Error)) return { name: typeof cause, message: String(cause), stack: '' };
  return {
    name: cause.name,
    message: cause.message,
    stack: (cause.stack ?? '').slice(0, MAX_STACK_CHARACTERS),
  };
}

function letterOf(record: ConsumerRecord, error: StageError): ProducerRecord {
  const { name, message, stack } = textOf(error.cause);
  const headers: (readonly [string, Bytes | null])[] = [
    ...record.headers,
    [`${PREFIX}exception`, name],
    [`${PREFIX}message`, message],
    [`${PREFIX}stacktrace`, stack],
    [`${PREFIX}topic`, record.topic],
    [`${PREFIX}partition`, String(record.partition)],
    [`${PREFIX}offset`, String(record.offset)],
  ];
  return {
    key: record.key,
    value: record.value,
    headers,
    timestamp: record.timestamp < 0 ? undefined : record.timestamp,
  };
}

/**
 * Writes the records behind a failed delivery to `topic`, one per origin, byte for byte, and settles the delivery when all are acknowledged. A letter
 * that cannot be written, and a value of a plain source (which has no record), is a failure.
 */
export function deadLetterPolicy(runtime: SinkRuntime, topic: string): ErrorPolicy {
  if (typeof topic !== 'string' || topic === '')
    throw new UsageError(`deadLetter: 'topic' is a name, not ${JSON.stringify(topic)}`, 'topic');
  return new DeadLetterPolicy((delivery, error) => {
    const records: ConsumerRecord[] = [];
    for (const { record } of delivery.origins) if (record !== undefined) records.push(record);
    if (records.length === 0) {
      delivery.nack(error);
      return;
    }
    const letter = new DeadLetter(delivery, error, records.length, runtime);
    for (const record of records) runtime.producer().send(topic, letterOf(record, error), letter);
  });
}
