// A producer to write to without waiting: results come as streams, and who does not look at them pays nothing for them.
import type { Observer } from 'rxjs';
import type { Kafka } from '../core/client.ts';
import type { ProducerOptions } from '../core/producer/options.ts';
import type { Receipt } from '../core/producer/receipt.ts';
import type { RecordProducer } from '../core/producer/record-producer.ts';
import type { Bytes } from '../core/records/types.ts';
import { BrokerError, UsageError } from '../errors.ts';
import type { Overflow } from '../sources/from-observable.ts';
import { MessageEncoder, type Message, type MessageFormat, type Placement } from './message.ts';
import { PendingMessages } from './pending-messages.ts';
import { PreparedWrites } from './prepared-writes.ts';
import { ResultStream } from './result-stream.ts';

/** A message that is in the log: `message` is the very object that was written, whatever else it carries. */
export interface Produced<T> extends Placement {
  readonly message: T;
}

/** A message that is not in the log, or (OutcomeUnknownError) of which nobody can say. */
export interface ProduceFailure<T> {
  readonly message: T;
  readonly error: unknown;
}

/** Options of {@link asyncProducer}. */
export interface AsyncProducerOptions<K, V> extends MessageFormat<K, V> {
  /** Of the producer behind it. */
  readonly producer?: ProducerOptions | undefined;
  /** Messages on their way, and results that a reader has not taken, before `write` returns false. Default 100,000. */
  readonly maxPending?: number | undefined;
  /** What `write` does when there is no room: 'wait' takes the message all the same and answers false; 'fail' makes it a failure. Default 'wait'. */
  readonly whenFull?: 'wait' | 'fail' | undefined;
}

/** What a producer did. */
export interface ProducedCounts {
  /** Messages taken by `write`. */
  readonly written: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** What to do with a message that comes to `observer(...)` while there is no room. */
export interface ObserverOverflow {
  readonly overflow: Overflow;
  /** Messages that may wait. */
  readonly capacity: number;
}

const MAX_PENDING = 100_000;

/** Made by {@link asyncProducer}. */
export class AsyncProducer<K = Bytes, V = Bytes, T extends Message<K, V> = Message<K, V>> implements Receipt {
  /** Messages that are in the log. Nobody subscribed: they are counted and not kept. Completes when the producer is closed. */
  readonly successes: ResultStream<Produced<T>>;
  /** Messages that failed; independent of `successes`. */
  readonly errors: ResultStream<ProduceFailure<T>>;
  private readonly producer: RecordProducer;
  private readonly encoder: MessageEncoder<K, V>;
  private readonly maxPending: number;
  private readonly fails: boolean;
  private readonly pending = new PendingMessages<T>();
  private readonly topics = new PendingTopics();
  /** Undefined where serializers are always ready. */
  private readonly preparing: PreparedWrites | undefined;
  private readonly waiters: (() => void)[] = [];
  private readonly stopListening: () => void;
  private written = 0;
  private succeeded = 0;
  private failed = 0;
  private closing: Promise<ProducedCounts> | undefined;

  /** @throws UsageError for an option that makes no sense. */
  constructor(producer: RecordProducer, options: AsyncProducerOptions<K, V>) {
    const { maxPending = MAX_PENDING, whenFull = 'wait' } = options;
    if (!Number.isInteger(maxPending) || maxPending < 1)
      throw new UsageError(
        `asyncProducer: maxPending is a whole number from 1, not ${maxPending}`,
        'maxPending',
      );
    if (whenFull !== 'wait' && whenFull !== 'fail')
      throw new UsageError(
        `asyncProducer: whenFull is 'wait' or 'fail', not ${String(whenFull)}`,
        'whenFull',
      );
    this.producer = producer;
    this.encoder = new MessageEncoder(options, 'asyncProducer');
    this.preparing = this.encoder.prepares
      ? new PreparedWrites((topic) => this.encoder.prepare(topic))
      : undefined;
    this.maxPending = maxPending;
    this.fails = whenFull === 'fail';
    this.successes = new ResultStream(() => this.announce());
    this.errors = new ResultStream(() => this.announce());
    this.stopListening = producer.onReady(() => this.announce());
  }

  get counts(): ProducedCounts {
    const { written, succeeded, failed } = this;
    return { written, succeeded, failed };
  }

  /**
   * Takes a message. True while there is room; false = taken (or, `whenFull: 'fail'`, failed), but no more should come before `ready()`. What cannot be
   * written, a value that its serializer refuses included, is a failure.
   * @throws UsageError after `close()`.
   */
  write(message: T): boolean {
    if (this.closing !== undefined) throw new UsageError('The producer is closed; a message was not taken');
    this.written += 1;
    const isKept = this.successes.isWanted || this.errors.isWanted;
    const tag = isKept ? this.pending.add(message) : 0;
    try {
      const topic = this.encoder.topicOf(message);
      if (this.fails && !this.hasRoom(topic)) throw full();
      if (isKept) this.topics.set(tag, topic);
      if (this.preparing === undefined)
        this.producer.send(topic, this.encoder.encode(topic, message), this, tag);
      else this.writePrepared(this.preparing, topic, message, tag);
      return this.hasRoom(topic);
    } catch (error) {
      this.onFailed(error, tag);
      return this.hasRoom();
    }
  }

  private writePrepared(preparing: PreparedWrites, topic: string, message: T, tag: number): void {
    preparing.push({
      topic,
      go: () => {
        try {
          this.producer.send(topic, this.encoder.encode(topic, message), this, tag);
        } catch (error) {
          this.onFailed(error, tag);
        }
      },
      fail: (cause) => this.onFailed(cause, tag),
    });
  }

  /** Resolves when there is room. */
  async ready(): Promise<void> {
    while (!this.hasRoom()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  /** An Observer that writes what it gets; while there is no room, up to `capacity` messages wait. It leaves the producer open when it is completed. */
  observer({ overflow, capacity }: ObserverOverflow): Observer<T> {
    return new WritingObserver(this, overflow, capacity);
  }

  /** Takes no more messages, and resolves when all have their result. A second call joins the first. */
  close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<ProducedCounts> {
    this.closing ??= this.drain(options);
    return this.closing;
  }

  /** As `close()`, without waiting: the streams complete when everything on its way has its result. */
  closeSoon(): void {
    this.close().catch(() => undefined);
  }

  /** A message that is given up before it is taken is a failure too. */
  refuse(message: T, error: unknown): void {
    this.written += 1;
    this.onFailed(error, this.errors.isWanted ? this.pending.add(message) : 0);
  }

  hasRoom(topic?: string): boolean {
    const pending = this.written - this.succeeded - this.failed + this.successes.unread + this.errors.unread;
    return pending < this.maxPending && this.producer.hasRoom(topic);
  }

  onAcked(partition: number, offset: number, timestamp: number, tag: number): void {
    this.succeeded += 1;
    if (tag > 0) {
      const topic = this.topics.take(tag);
      const message = this.pending.take(tag);
      if (this.successes.isWanted) this.successes.push({ message, topic, partition, offset, timestamp });
    }
    if (this.waiters.length > 0) this.announce();
  }

  onFailed(error: unknown, tag: number): void {
    this.failed += 1;
    if (tag > 0) {
      this.topics.take(tag);
      const message = this.pending.take(tag);
      if (this.errors.isWanted) this.errors.push({ message, error });
    }
    if (this.waiters.length > 0) this.announce();
  }

  private announce(): void {
    if (this.waiters.length === 0 || !this.hasRoom()) return;
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private async drain(options: { readonly timeoutMs?: number | undefined }): Promise<ProducedCounts> {
    try {
      await this.preparing?.idle();
      await this.producer.close(options);
    } finally {
      this.stopListening();
      this.successes.end();
      this.errors.end();
      for (const resolve of this.waiters.splice(0)) resolve();
    }
    return this.counts;
  }
}

/** The topic of each message on its way; mostly it is one and the same. */
class PendingTopics {
  private common: string | undefined;
  private readonly others = new Map<number, string>();

  set(tag: number, topic: string): void {
    this.common ??= topic;
    if (topic !== this.common) this.others.set(tag, topic);
  }

  take(tag: number): string {
    if (this.others.size === 0) return this.common ?? '';
    const topic = this.others.get(tag);
    this.others.delete(tag);
    return topic ?? this.common ?? '';
  }
}

class WritingObserver<T extends Message<K, V>, K, V> implements Observer<T> {
  private readonly producer: AsyncProducer<K, V, T>;
  private readonly overflow: Overflow;
  private readonly capacity: number;
  private waiting: T[] = [];
  private isDraining = false;

  constructor(producer: AsyncProducer<K, V, T>, overflow: Overflow, capacity: number) {
    if (!['error', 'drop-oldest', 'drop-newest'].includes(overflow))
      throw new UsageError(
        `overflow is 'error', 'drop-oldest' or 'drop-newest', not ${overflow}`,
        'overflow',
      );
    if (!Number.isInteger(capacity) || capacity < 0)
      throw new UsageError(`capacity is a whole number from 0, not ${capacity}`, 'capacity');
    this.producer = producer;
    this.overflow = overflow;
    this.capacity = capacity;
  }

  next = (message: T): void => {
    if (this.waiting.length === 0 && this.producer.hasRoom(message.topic)) {
      this.producer.write(message);
      return;
    }
    if (this.waiting.length < this.capacity) this.waiting.push(message);
    else if (this.overflow === 'drop-oldest' && this.capacity > 0) {
      this.producer.refuse(this.waiting.shift()!, full());
      this.waiting.push(message);
    } else {
      this.producer.refuse(message, full());
      if (this.overflow === 'error') throw full();
    }
    void this.drain();
  };

  error = (): void => undefined;

  complete = (): void => undefined;

  private async drain(): Promise<void> {
    if (this.isDraining) return;
    this.isDraining = true;
    while (this.waiting.length > 0) {
      await this.producer.ready();
      while (this.waiting.length > 0 && this.producer.hasRoom()) this.producer.write(this.waiting.shift()!);
    }
    this.isDraining = false;
  }
}

function full(): BrokerError {
  const message =
    'The producer has no room for another message; wait for ready(), or raise maxPending or bufferBytes';
  return new BrokerError('THROTTLING_QUOTA_EXCEEDED', message, { retriable: true, api: 'Produce' });
}

/**
 * A producer to write to without waiting, as sarama's AsyncProducer: `write` takes a message and says whether there is room for more, `successes` and
 * `errors` are Observables of what became of them.
 *
 * @example
 * ```ts
 * const producer = asyncProducer(kafka, { topic: 'orders', value: json(Order) });
 * producer.errors.subscribe(({ message, error }) => log(message, error));
 * for (const order of orders) if (!producer.write({ key: order.id, value: order })) await producer.ready();
 * const { written, succeeded, failed } = await producer.close();
 * ```
 */
export function asyncProducer<K = Bytes, V = Bytes, T extends Message<K, V> = Message<K, V>>(
  kafka: Kafka,
  options: AsyncProducerOptions<K, V> = {},
): AsyncProducer<K, V, T> {
  return new AsyncProducer(kafka.producer(options.producer), options);
}
