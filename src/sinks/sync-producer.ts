// A producer to wait for: each call resolves with where its messages ended up.
import type { Kafka } from '../core/client.ts';
import type { ProducerOptions } from '../core/producer/options.ts';
import type { Receipt } from '../core/producer/receipt.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { Bytes } from '../core/records/types.ts';
import { BrokerError, SendBatchError, UsageError, type FailedSend } from '../errors.ts';
import { MessageEncoder, type Message, type MessageFormat, type Placement } from './message.ts';

/** Options of {@link syncProducer}. */
export interface SyncProducerOptions<K, V> extends MessageFormat<K, V> {
  /** Of the producer behind it. */
  readonly producer?: ProducerOptions | undefined;
  /** When the producer has no room: 'wait' for it, or 'fail'. Default 'wait'. */
  readonly whenFull?: 'wait' | 'fail' | undefined;
}

/** Made by {@link syncProducer}. */
export class SyncProducer<K = Bytes, V = Bytes> {
  private readonly producer: RecordProducer;
  private readonly encoder: MessageEncoder<K, V>;
  private readonly prepares: boolean;
  private readonly fails: boolean;
  private readonly stopListening: () => void;
  private waiters: (() => void)[] = [];

  /** @throws UsageError for an option that makes no sense. */
  constructor(producer: RecordProducer, options: SyncProducerOptions<K, V>) {
    const { whenFull = 'wait' } = options;
    if (whenFull !== 'wait' && whenFull !== 'fail')
      throw new UsageError(`syncProducer: whenFull is 'wait' or 'fail', not ${String(whenFull)}`, 'whenFull');
    this.producer = producer;
    this.encoder = new MessageEncoder(options, 'syncProducer');
    this.prepares = this.encoder.prepares;
    this.fails = whenFull === 'fail';
    this.stopListening = producer.onReady(() => {
      for (const resolve of this.waiters.splice(0)) resolve();
    });
  }

  /** Resolves when the message is in the log; rejects with why it is not. */
  async send(message: Message<K, V>): Promise<Placement> {
    const topic = this.encoder.topicOf(message);
    if (!this.producer.hasRoom(topic)) await this.room(topic);
    const preparation = this.prepares ? this.encoder.prepare(topic) : undefined;
    if (preparation !== undefined) await preparation;
    return new Promise<Placement>((resolve, reject) => {
      this.producer.send(topic, this.encoder.encode(topic, message), {
        onAcked: (partition, offset, timestamp) => resolve({ topic, partition, offset, timestamp }),
        onFailed: reject,
      });
    });
  }

  /** Resolves with the places of all messages, in their order; rejects with SendBatchError, which has the results of the rest, when some failed. */
  async sendBatch(messages: readonly Message<K, V>[]): Promise<Placement[]> {
    const batch = new MessageBatch(messages);
    for (let index = 0; index < messages.length; index += 1) {
      const message = messages[index]!;
      try {
        const topic = this.encoder.topicOf(message);
        if (!this.producer.hasRoom(topic)) await this.room(topic);
        const preparation = this.prepares ? this.encoder.prepare(topic) : undefined;
        if (preparation !== undefined) await preparation;
        const record = this.encoder.encode(topic, message);
        batch.topics[index] = topic;
        this.producer.send(topic, record, batch, index);
      } catch (error) {
        batch.onFailed(error, index);
      }
    }
    return batch.done;
  }

  /** Takes no more messages, and resolves when all have their result. */
  async close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    await this.producer.close(options);
    this.stopListening();
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private async room(topic: string): Promise<void> {
    if (this.fails)
      throw new BrokerError(
        'THROTTLING_QUOTA_EXCEEDED',
        `The producer has no room for a message to ${topic}`,
        {
          retriable: true,
          api: 'Produce',
          topic,
        },
      );
    while (!this.producer.hasRoom(topic)) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }
}

/** The receipt of all messages of one call. */
class MessageBatch implements Receipt {
  readonly topics: string[] = [];
  readonly done: Promise<Placement[]>;
  private readonly messages: readonly unknown[];
  private readonly results: (Placement | undefined)[];
  private readonly failures: FailedSend[] = [];
  private left: number;
  private resolve: (results: Placement[]) => void = () => undefined;
  private reject: (error: SendBatchError<Placement>) => void = () => undefined;

  constructor(messages: readonly unknown[]) {
    this.messages = messages;
    this.left = messages.length;
    this.results = new Array<Placement | undefined>(messages.length).fill(undefined);
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (this.left === 0) this.resolve([]);
  }

  onAcked(partition: number, offset: number, timestamp: number, index: number): void {
    this.results[index] = { topic: this.topics[index]!, partition, offset, timestamp };
    this.settled();
  }

  onFailed(error: unknown, index: number): void {
    this.failures.push({ index, message: this.messages[index], error });
    this.settled();
  }

  private settled(): void {
    this.left -= 1;
    if (this.left > 0) return;
    if (this.failures.length === 0) {
      this.resolve(this.results as Placement[]);
      return;
    }
    this.failures.sort((a, b) => a.index - b.index);
    this.reject(new SendBatchError(this.failures, this.results));
  }
}

/**
 * A producer to wait for, as sarama's SyncProducer: `send` and `sendBatch` resolve with topic, partition, offset and timestamp. Calls that are not
 * awaited one by one share batches.
 *
 * @example
 * ```ts
 * const producer = syncProducer(kafka, { topic: 'orders', value: json(Order) });
 * const { partition, offset } = await producer.send({ key: order.id, value: order });
 * ```
 */
export function syncProducer<K = Bytes, V = Bytes>(
  kafka: Kafka,
  options: SyncProducerOptions<K, V> = {},
): SyncProducer<K, V> {
  return new SyncProducer(kafka.producer(options.producer), options);
}
