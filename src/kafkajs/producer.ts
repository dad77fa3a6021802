// kafkajs's producer behind the sinks: records gather while a batch is on its way, and one batch is on its way at a time, so that they stay in order.

import { Buffer } from 'node:buffer';
import type { IHeaders, Message, Producer, ProducerConfig } from 'kafkajs';
import type { Clock, Timer } from '../core/clock.ts';
import { checkRecord } from '../core/producer/check-record.ts';
import { promiseOf, type Receipt, type Sent } from '../core/producer/receipt.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import { headersFrom } from '../core/records/headers.ts';
import type { Bytes, ProducerRecord } from '../core/records/types.ts';
import {
  BrokerError,
  ConnectionError,
  OutcomeUnknownError,
  TimeoutError,
  UsageError,
  type KafkaError,
} from '../errors.ts';
import { Fifo } from '../flow/fifo.ts';
import type { KafkajsClient } from './client.ts';
import { asKafkaError } from './errors.ts';
import type { SendSettings } from './producer-options.ts';

/** A record that waits, or is on its way. */
interface Outgoing {
  readonly topic: string;
  readonly message: Message;
  readonly bytes: number;
  readonly receipt: Receipt;
  readonly tag: number;
}

/** What kafkajs adds to a message, roughly. */
const OVERHEAD_BYTES = 32;
/** Refusals of what was sent, not of the moment: a batch is taken apart to find the record that they are about. */
const ABOUT_A_RECORD: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

/** Made by `kafkajs(client).producer()`. Does not know where a record ended up: partition and offset of a receipt are -1 unless the record names its partition. */
export class KafkajsProducer implements RecordProducer {
  private readonly producer: Producer;
  private readonly settings: SendSettings;
  private readonly clock: Clock;
  private readonly waiting = new Fifo<Outgoing>();
  private readonly readyListeners = new Set<() => void>();
  private readonly idleWaiters: (() => void)[] = [];
  /** Bytes of all that has no answer. */
  private pendingBytes = 0;
  private pending = 0;
  private isFull = false;
  private sending = false;
  private connected: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    client: KafkajsClient,
    config: Omit<ProducerConfig, 'transactionalId' | 'transactionTimeout'>,
    settings: SendSettings,
    clock: Clock,
  ) {
    this.producer = client.producer(config);
    this.settings = settings;
    this.clock = clock;
  }

  send(topic: string, record: ProducerRecord, receipt: Receipt, tag = 0): boolean {
    if (this.closing !== undefined)
      throw new UsageError(`The producer is closed; a record for ${topic} was not taken`);
    checkRecord(topic, record);
    const message = messageOf(record, this.clock.wallNow());
    const bytes = sizeOf(message.key) + sizeOf(message.value) + OVERHEAD_BYTES;
    this.waiting.push({ topic, message, bytes, receipt, tag });
    this.pending += 1;
    this.pendingBytes += bytes;
    if (!this.hasRoom()) this.isFull = true;
    this.sendSoon();
    return this.hasRoom();
  }

  sendAsync(topic: string, record: ProducerRecord): Promise<Sent> {
    return promiseOf((receipt) => this.send(topic, record, receipt));
  }

  hasRoom(): boolean {
    return this.pendingBytes < this.settings.bufferBytes;
  }

  onReady(callback: () => void): () => void {
    this.readyListeners.add(callback);
    return () => this.readyListeners.delete(callback);
  }

  flush(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  close({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    this.closing ??= this.shutDown(timeoutMs);
    return this.closing;
  }

  private async shutDown(timeoutMs: number | undefined): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      if (timeoutMs !== undefined) timer = this.clock.setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.flush(), late]);
    timer?.cancel();
    for (let left = this.waiting.shift(); left !== undefined; left = this.waiting.shift())
      this.failed(
        left,
        new TimeoutError(`The producer was closed before a record for ${left.topic} was sent`, {
          afterMs: timeoutMs ?? 0,
          sent: false,
          api: 'Produce',
        }),
      );
    if (this.connected !== undefined) await this.producer.disconnect().catch(() => undefined);
  }

  // In a later task, so that what one run of code hands over goes together.
  private sendSoon(): void {
    if (this.sending) return;
    this.sending = true;
    this.clock.defer(() => void this.run());
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) {
      const batch = this.takeBatch();
      if (batch.length > 0) await this.deliver(batch);
    }
    this.sending = false;
  }

  private takeBatch(): Outgoing[] {
    const { batchBytes, batchRecords } = this.settings;
    const batch: Outgoing[] = [];
    let bytes = 0;
    for (let one = this.waiting.peek(); one !== undefined; one = this.waiting.peek()) {
      if (batch.length > 0 && (bytes + one.bytes > batchBytes || batch.length >= batchRecords)) break;
      this.waiting.shift();
      if (one.receipt.isWithdrawn?.(one.tag) === true) {
        this.answered(one);
        one.receipt.onWithdrawn?.(one.tag);
        continue;
      }
      batch.push(one);
      bytes += one.bytes;
    }
    return batch;
  }

  /** Never rejects. */
  private async deliver(batch: readonly Outgoing[]): Promise<void> {
    const { acks, timeoutMs, compression } = this.settings;
    try {
      this.connected ??= this.producer.connect();
      await this.connected;
    } catch (error) {
      this.connected = undefined;
      this.failAll(batch, asKafkaError(error, 'Produce'));
      return;
    }
    try {
      await this.producer.sendBatch({
        acks,
        timeout: timeoutMs,
        compression,
        topicMessages: byTopic(batch),
      });
    } catch (cause) {
      const error = asKafkaError(cause, 'Produce');
      if (batch.length > 1 && error instanceof BrokerError && ABOUT_A_RECORD.has(error.errorName)) {
        const half = batch.length >> 1;
        await this.deliver(batch.slice(0, half));
        await this.deliver(batch.slice(half));
      } else this.failAll(batch, outcomeOf(error));
      return;
    }
    for (const one of batch) {
      this.answered(one);
      const { partition = -1, timestamp } = one.message;
      one.receipt.onAcked(partition, -1, Number(timestamp), one.tag);
    }
  }

  private failAll(batch: readonly Outgoing[], error: KafkaError): void {
    for (const one of batch) this.failed(one, error);
  }

  private failed(one: Outgoing, error: KafkaError): void {
    this.answered(one);
    one.receipt.onFailed(error, one.tag);
  }

  private answered({ bytes }: Outgoing): void {
    this.pending -= 1;
    this.pendingBytes -= bytes;
    if (this.isFull && this.pendingBytes <= this.settings.bufferBytes / 2) {
      this.isFull = false;
      for (const callback of this.readyListeners) callback();
    }
    if (this.pending === 0) for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

/** What was sent and not answered may be in the log. */
function outcomeOf(error: KafkaError): KafkaError {
  if (!(error instanceof TimeoutError) && !(error instanceof ConnectionError)) return error;
  return new OutcomeUnknownError(error.message, { cause: error });
}

/** In order; kafkajs keeps that of each partition. */
function byTopic(batch: readonly Outgoing[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, message } of batch) {
    const some = topics.get(topic);
    if (some === undefined) topics.set(topic, [message]);
    else some.push(message);
  }
  return Array.from(topics, ([topic, messages]) => ({ topic, messages }));
}

function messageOf({ key, value, headers, timestamp, partition }: ProducerRecord, wallNow: number): Message {
  const message: Message = {
    key: asBuffer(key ?? null),
    value: asBuffer(value),
    timestamp: String(timestamp ?? wallNow),
  };
  if (partition !== undefined) message.partition = partition;
  if (headers !== undefined) message.headers = headersOf(headers);
  return message;
}

/** By name, as kafkajs has them: headers of one name stay in order. */
function headersOf(init: NonNullable<ProducerRecord['headers']>): IHeaders {
  const headers: Record<string, Buffer[]> = Object.create(null) as Record<string, Buffer[]>;
  for (const [name, value] of headersFrom(init)) {
    if (value === null)
      throw new UsageError(
        `header '${name}' is null, which kafkajs cannot write; leave it out, or use new Kafka({ brokers }) of this library`,
        'headers',
      );
    (headers[name] ??= []).push(value);
  }
  return headers;
}

function asBuffer(bytes: Bytes | null): Buffer | string | null {
  if (bytes === null || typeof bytes === 'string' || Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sizeOf(bytes: Buffer | string | null | undefined): number {
  return bytes?.length ?? 0;
}
