import { Buffer } from 'node:buffer';
import { checkRecord, isTime, noTime } from '../../core/producer/check-record.ts';
import { partitionerByName, type Partitioner } from '../../core/producer/partitioner.ts';
import { promiseOf, type Receipt, type Sent } from '../../core/producer/receipt.ts';
import type { RecordProducer } from '../../core/producer/record-producer.ts';
import { brokerError } from '../../core/cluster/retry.ts';
import { ERRORS } from '../../core/protocol/error-codes.ts';
import { headersFrom } from '../../core/records/headers.ts';
import type { Bytes, ProducerRecord } from '../../core/records/types.ts';
import { UsageError, type KafkaError } from '../../errors.ts';
import {
  describeExpectation,
  describeSend,
  mismatch,
  type MockSend,
  type SendCheck,
  type SendExpectation,
} from './send-expectation.ts';

export interface MockProducerOptions {
  /** Partitions of every topic, or by topic (1 where it is not named). Default 1. */
  readonly partitions?: number | { readonly [topic: string]: number } | undefined;
  /** Default murmur2, as the real one's; a record that leaves the choice goes to partition 0. */
  readonly partitioner?: Partitioner | undefined;
}

interface Taken {
  readonly sent: MockSend;
  readonly receipt: Receipt;
  readonly tag: number;
  readonly error: KafkaError | undefined;
}

/**
 * Stands in for a `Producer` in a test of code that uses `sluice/core`: it takes records in the order of the expectations set before, answers each as its
 * expectation says (asynchronously, and in order), and `close()` rejects with all that was not as expected: sends without an expectation, records
 * that fail their check, expectations that no send met. A send that was not expected fails too.
 *
 * @example
 * ```ts
 * const producer = new MockProducer();
 * producer.expectSendAndSucceed({ topic: 'orders', key: 'a' });
 * producer.expectSendAndFail('NOT_ENOUGH_REPLICAS', (sent) => expect(JSON.parse(String(sent.value))).toEqual({ id: 'b' }));
 * await placeOrders(producer, ['a', 'b']);
 * await producer.close();
 * ```
 */
export class MockProducer implements RecordProducer, AsyncDisposable {
  /** Every record it was given, in order. */
  readonly sent: MockSend[] = [];
  private readonly options: MockProducerOptions;
  private readonly expectations: SendExpectation[] = [];
  private readonly violations: string[] = [];
  private readonly offsets = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private unanswered: Taken[] = [];
  private waiters: (() => void)[] = [];
  private met = 0;
  private isFull = false;
  private isHolding = false;
  private isAnswering = false;
  private closing: Promise<void> | undefined;

  constructor(options: MockProducerOptions = {}) {
    this.options = options;
  }

  /** The next send without an expectation so far is acknowledged. */
  expectSendAndSucceed(check?: SendCheck): this {
    return this.expect({ check, error: undefined });
  }

  /** The next send without an expectation so far fails with this error, or one of Kafka's by its name. */
  expectSendAndFail(error: KafkaError | keyof typeof ERRORS, check?: SendCheck): this {
    const cause = typeof error === 'string' ? brokerError(ERRORS[error], { api: 'Produce' }) : error;
    return this.expect({ check, error: cause });
  }

  /** Expectations that no send has met yet. */
  get unmet(): number {
    return this.expectations.length - this.met;
  }

  /** Leaves sends unanswered until `release()` or `close()`. */
  holdAnswers(): void {
    this.isHolding = true;
  }

  /** Answers what was held back, and answers as usual from now on. */
  release(): void {
    this.isHolding = false;
    this.answerLater();
  }

  /** As a buffer that is full: `send` and `hasRoom` answer false until `makeRoom()`. Records are taken all the same. */
  fillUp(): void {
    this.isFull = true;
  }

  /** There is room again, and who asked for it is told. */
  makeRoom(): void {
    this.isFull = false;
    for (const listener of [...this.listeners]) listener();
  }

  send(topic: string, record: ProducerRecord, receipt: Receipt, tag = 0): boolean {
    if (typeof topic !== 'string' || topic === '')
      throw new UsageError('A record needs the name of a topic', 'topic');
    checkRecord(topic, record);
    const headers = headersFrom(record.headers);
    if (this.closing !== undefined)
      throw new UsageError(`The producer is closed; a record for ${topic} was not taken`);
    const { timestamp } = record;
    if (timestamp !== undefined && !isTime(timestamp)) throw noTime(topic, timestamp);
    const sent: MockSend = {
      topic,
      partition: this.partitionOf(topic, record),
      key: copyOf(record.key ?? null),
      value: copyOf(record.value),
      headers,
      timestamp,
    };
    this.sent.push(sent);
    this.unanswered.push({ sent, receipt, tag, error: this.meet(sent) });
    this.answerLater();
    return !this.isFull;
  }

  sendAsync(topic: string, record: ProducerRecord): Promise<Sent> {
    return promiseOf((receipt) => this.send(topic, record, receipt));
  }

  hasRoom(): boolean {
    return !this.isFull;
  }

  onReady(callback: () => void): () => void {
    this.listeners.add(callback);
    return () => void this.listeners.delete(callback);
  }

  async flush(): Promise<void> {
    if (this.unanswered.length > 0) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  /** Answers what is left, and rejects when not everything was as expected. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    this.release();
    await this.flush();
    const lines = [...this.violations];
    for (let at = this.met; at < this.expectations.length; at++)
      lines.push(`expectation ${at + 1} was not met: ${describeExpectation(this.expectations[at]!)}`);
    if (lines.length === 0) return;
    throw new Error(`MockProducer: not all was as expected${lines.map((one) => `\n  ${one}`).join('')}`);
  }

  private expect(expectation: SendExpectation): this {
    this.expectations.push(expectation);
    return this;
  }

  /** The error that the send is to end with; undefined for none. */
  private meet(sent: MockSend): KafkaError | undefined {
    const expectation = this.expectations[this.met];
    if (expectation === undefined) {
      const all = this.expectations.length;
      const had = all === 0 ? 'none was set' : all === 1 ? 'the only one is met' : `all ${all} are met`;
      return this.violated(`${describeSend(sent)} has no expectation: ${had}`);
    }
    this.met += 1;
    const why = mismatch(expectation.check, sent);
    if (why === undefined) return expectation.error;
    return this.violated(`${describeSend(sent)} is not as expectation ${this.met} says: ${why}`);
  }

  private violated(what: string): UsageError {
    this.violations.push(what);
    return new UsageError(`MockProducer: ${what}`);
  }

  private partitionOf(topic: string, { key = null, partition }: ProducerRecord): number {
    if (partition !== undefined) return partition;
    const { partitions = 1, partitioner = partitionerByName('murmur2')! } = this.options;
    const count = typeof partitions === 'number' ? partitions : (partitions[topic] ?? 1);
    return partitioner(key, count) ?? 0;
  }

  private answerLater(): void {
    if (this.isAnswering || this.isHolding || this.unanswered.length === 0) return;
    this.isAnswering = true;
    queueMicrotask(() => this.answer());
  }

  private answer(): void {
    while (!this.isHolding) {
      const taken = this.unanswered[0];
      if (taken === undefined) break;
      this.answerOne(taken);
      this.unanswered.shift();
    }
    this.isAnswering = false;
    if (this.unanswered.length === 0) for (const resolve of this.waiters.splice(0)) resolve();
  }

  private answerOne({ sent, receipt, tag, error }: Taken): void {
    if (receipt.isWithdrawn?.(tag) === true) receipt.onWithdrawn?.(tag);
    else if (error !== undefined) receipt.onFailed(error, tag);
    else receipt.onAcked(sent.partition, this.nextOffset(sent), sent.timestamp ?? -1, tag);
  }

  private nextOffset({ topic, partition }: MockSend): number {
    const place = `${topic}-${partition}`;
    const offset = this.offsets.get(place) ?? 0;
    this.offsets.set(place, offset + 1);
    return offset;
  }
}

function copyOf(value: Bytes | null): Buffer | null {
  return value === null ? null : Buffer.from(value as Uint8Array);
}
