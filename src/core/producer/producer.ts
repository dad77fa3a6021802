// The producer as the rest of the library sees it: takes records, puts them into batches, and leaves the rest to the sender.

import { BrokerError, KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { addReadingSource, type ReadingSource } from '../events/readings.ts';
import { HeaderList, headersFrom } from '../records/headers.ts';
import { singleRecordBatchSize } from '../records/record-size.ts';
import type { Bytes, HeadersInit, ProducerRecord } from '../records/types.ts';
import type { Batch, BatchWaiter } from './batch.ts';
import { BatchMemory } from './batch-memory.ts';
import { ByteGauge, ReadyListeners } from './buffer-budget.ts';
import { checkRecord, isBytes, isTime, noTime } from './check-record.ts';
import type { ProducerContext } from './context.ts';
import { newCounters, type ProducerCounters } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { producerSettings, type ProducerOptions, type ProducerSettings } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { intercepted } from './interceptor.ts';
import { partitioning, type Partitioner } from './partitioner.ts';
import { ProducerIds, type Identities } from './producer-ids.ts';
import { promiseOf, type Receipt, type Sent } from './receipt.ts';
import type { RecordProducer } from './record-producer.ts';
import { Sender } from './sender.ts';
import { Stamp } from './stamp.ts';
import { Topics } from './topics.ts';
import type { PendingRecord, TopicState } from './topic-state.ts';

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;
// Bytes around key and value that a record can take in a batch without headers.
const RECORD_OVERHEAD = 90;

// A batch of so many small records is worth a request while its partition has fewer than so many on their way: the broker works on it while the
// next is made. Where the broker is slower than the caller, batches go on to their full size; of large records, full batches are few records anyway.
const ENOUGH_BYTES = 128 * 1024;
const ENOUGH_RECORDS = 500;
const FEW_BATCHES = 2;

/**
 * Sends records: idempotent, acks=all, in order per partition, bounded in bytes. What is taken is sent until it is acknowledged, refused for good,
 * or its delivery deadline has passed; then it fails, and nothing after it on its partition is sent before what was in flight is resolved.
 */
export class Producer implements RecordProducer {
  readonly settings: ProducerSettings;
  readonly counters: ProducerCounters = newCounters();
  protected readonly cluster: Cluster;
  private readonly context: ProducerContext;
  private readonly buffer: ByteGauge;
  private readonly topics: Topics;
  private readonly sender: Sender;
  private readonly deadlines: Deadlines;
  private readonly partitioner: Partitioner;
  private readonly stamp: Stamp;
  /** A batch that waits to be compressed is on its way, too. */
  private readonly packs: boolean;
  private readonly ender = new AbortController();
  private lastTopic: TopicState | undefined;
  private closing: Promise<void> | undefined;
  /** Why no record is taken now; undefined while they are. */
  private refusal: ((topic: string) => KafkaError) | undefined;
  private pendingWaiters: (() => void)[] = [];
  private readonly readings: ReadingSource = {
    read: (sink) => {
      const { clientId } = this.cluster;
      sink.producer({ clientId, bufferBytes: this.settings.bufferBytes, usedBytes: this.buffer.used });
    },
  };
  private readonly forgetReadings: () => void;

  /** @throws UsageError naming an option that makes no sense. */
  constructor(cluster: Cluster, options?: ProducerOptions, identities?: Identities) {
    const settings = producerSettings(options);
    if (settings.transactionalId !== null && identities === undefined)
      throw new UsageError(
        'A producer with a transactionalId is a TransactionalProducer; kafka.producer(...) makes one',
        'transactionalId',
      );
    this.cluster = cluster;
    this.settings = settings;
    this.buffer = new ByteGauge(settings.bufferBytes);
    const { bind, spread } = partitioning(settings.partitioner);
    this.partitioner = bind;
    if (settings.interceptors.length > 0) {
      // In the place of the method, so that a producer without interceptors does not look for them.
      const take = this.send.bind(this);
      this.send = (name, record, receipt, tag) =>
        take(name, intercepted(settings.interceptors, name, record), receipt, tag);
    }
    this.stamp = new Stamp(cluster.clock);
    this.packs = settings.compression !== 'none';
    const context: ProducerContext = {
      clientId: cluster.clientId,
      clock: cluster.clock,
      random: cluster.random,
      settings,
      counters: this.counters,
      spread,
      onFull: (partition) => {
        this.sender.list(partition);
        this.sender.schedule();
      },
      buffer: this.buffer,
      memory: new BatchMemory(cluster.clock),
      ready: new ReadyListeners(),
      trouble: undefined,
      onBatchFailed: undefined,
      onRecordRefused: undefined,
      maxProduceVersion: Infinity,
      report: rethrowLater,
    };
    this.context = context;
    this.forgetReadings = addReadingSource(this.readings);
    const { signal } = this.ender;
    this.deadlines = new Deadlines(cluster.clock, (now) => this.expire(now));
    this.topics = new Topics(
      cluster,
      context,
      this.deadlines,
      {
        look: (partition) => this.sender.list(partition),
        replay: (topic) => this.replay(topic),
        run: (work) => this.run(work),
      },
      signal,
    );
    this.sender = new Sender(
      cluster,
      context,
      identities ?? new ProducerIds(cluster, context, signal),
      this.topics,
    );
  }

  /**
   * Takes a record; its bytes are copied before this returns. True while there is room; false = taken, but no more should come before
   * `onReady`. What becomes of it is told to `receipt`, with `tag`, a whole number: one receipt with a tag for each record makes no object per
   * record; tags that count up cost least.
   * @throws UsageError for an undefined value, a partition that is no index, a timestamp that is no time, headers that are none, and after `close()`.
   */
  send(name: string, record: ProducerRecord, receipt: Receipt, tag = 0): boolean {
    const topic = this.lastTopic?.name === name ? this.lastTopic : this.topicFor(name);
    const { value, partition: index } = record;
    const key = record.key ?? null;
    if (!isBytes(value) || !isBytes(key) || index !== undefined) checkRecord(name, record);
    const headers = record.headers === undefined ? undefined : headersFrom(record.headers);
    if (this.refusal !== undefined) throw this.refusal(name);
    const timestamp = record.timestamp ?? this.stamp.now();
    if (!isTime(timestamp)) throw noTime(name, timestamp);
    if (!topic.isKnown) this.hold(topic, { key, value, headers, partition: index, timestamp, receipt, tag });
    else this.place(topic, key, value, headers, index, timestamp, receipt, tag);
    return !this.buffer.full && topic.fullPartitions === 0;
  }

  /** As `send`, with a promise of where the record ended up. Bound what is outstanding, by `await` or by `hasRoom`. */
  sendAsync(topic: string, record: ProducerRecord): Promise<Sent> {
    return promiseOf((receipt) => this.send(topic, record, receipt));
  }

  /** Whether `send` would return true; for one topic, its partitions' own limits are looked at too. */
  hasRoom(topic?: string): boolean {
    if (this.buffer.full) return false;
    if (topic === undefined) return true;
    const state = this.lastTopic?.name === topic ? this.lastTopic : this.topics.find(topic);
    return state === undefined || state.fullPartitions === 0;
  }

  /** Calls `callback` each time room came back, be it for one topic only: ask `hasRoom` then. Returns the function that ends it. */
  onReady(callback: () => void): () => void {
    return this.context.ready.add(callback);
  }

  /** Sends what is gathered without waiting for more; resolves when everything taken before has its result, good or bad. */
  async flush(): Promise<void> {
    while (this.hasPending()) await new Promise<void>((resolve) => this.pendingWaiters.push(resolve));
    await new Promise<void>((resolve) => {
      const waiter: BatchWaiter = { left: 1, onDone: resolve };
      for (const topic of this.topics.values())
        for (const partition of topic.all()) this.flushPartition(partition, waiter);
      this.sender.drain();
      waiter.left -= 1;
      if (waiter.left === 0) resolve();
    });
  }

  /**
   * Takes no more records, and resolves when all have their result. After `timeoutMs` (default 30,000) the rest fails: with OutcomeUnknownError
   * what was sent, with TimeoutError what was not. The cluster stays open.
   */
  close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    this.refusal = closed;
    this.closing ??= this.closeWithin(options.timeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
    return this.closing;
  }

  /** Takes no record from now on and throws what `why` makes of its topic; undefined takes them again. After `close()` nothing is taken. */
  protected refuseWith(why: ((topic: string) => KafkaError) | undefined): void {
    if (this.closing === undefined) this.refusal = why;
  }

  /** What is told of failures, and the newest version of Produce to send. */
  protected watch(hooks: Pick<ProducerContext, 'onBatchFailed' | 'onRecordRefused'>): void {
    Object.assign(this.context, hooks);
  }

  protected limitProduce(maxVersion: number): void {
    this.context.maxProduceVersion = maxVersion;
  }

  /** Fails everything that has no result, sent or not, with `error`. */
  protected abandonAll(error: KafkaError): void {
    this.run(() => {
      for (const topic of this.topics.values()) topic.abandon(error);
    });
  }

  /** Resolves when no request is out. */
  protected whenQuiet(): Promise<void> {
    return this.sender.whenQuiet();
  }

  private async closeWithin(timeoutMs: number): Promise<void> {
    const timer = this.context.clock.setTimeout(() => {
      const message = `The producer was closed and the record was not sent within ${timeoutMs} ms`;
      const error = new TimeoutError(message, {
        afterMs: timeoutMs,
        sent: false,
        api: 'Produce',
        cause: this.context.trouble,
      });
      this.run(() => {
        for (const topic of this.topics.values()) topic.failAll(error);
      });
    }, timeoutMs);
    try {
      await this.flush();
    } finally {
      timer.cancel();
      this.ender.abort(new UsageError('The producer is closed'));
      this.topics.stop();
      this.deadlines.cancel();
      this.sender.stop();
      this.context.memory.clear();
      this.forgetReadings();
    }
  }

  private topicFor(name: string): TopicState {
    if (typeof name !== 'string' || name === '')
      throw new UsageError('A record needs the name of a topic', 'topic');
    const topic = this.topics.get(name);
    this.lastTopic = topic;
    return topic;
  }

  /** Keeps a record until its topic is known. */
  private hold(
    topic: TopicState,
    fields: Omit<PendingRecord, 'headers' | 'bytes' | 'takenAt'> & {
      readonly headers: HeaderList | undefined;
    },
  ): void {
    const { clock, settings } = this.context;
    const brokenForMs = topic.breaker.openForMs(clock.now());
    if (brokenForMs > 0) {
      const message = `Topic ${topic.name} is not known, and records have waited for it in vain; none waits for it for another ${Math.ceil(brokenForMs)} ms`;
      const error = new BrokerError('LEADER_NOT_AVAILABLE', message, {
        retriable: true,
        api: 'Metadata',
        topic: topic.name,
      });
      this.fail(fields.receipt, fields.tag, error);
      return;
    }
    const key = owned(fields.key);
    const value = owned(fields.value);
    const headers = fields.headers && new HeaderList(fields.headers.names, fields.headers.values.map(owned));
    const bytes = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
    const takenAt = clock.now();
    topic.addPending({ ...fields, key, value, headers, bytes, takenAt });
    this.deadlines.at(takenAt + settings.deliveryTimeoutMs);
    if (topic.pending.length === 1) {
      topic.missingSince = -1;
      this.topics.want(topic);
    }
  }

  private replay(topic: TopicState): void {
    const { pending } = topic;
    topic.pending = [];
    for (const record of pending) {
      topic.releasePending(record);
      const { key, value, headers, partition, timestamp, receipt, tag } = record;
      try {
        this.place(topic, key, value, headers, partition, timestamp, receipt, tag);
      } catch (cause) {
        // `send` has returned long since, and the records behind this one want their places.
        this.fail(receipt, tag, cause instanceof KafkaError ? cause : notPlaced(topic.name, cause));
      }
    }
    this.sender.schedule();
  }

  private place(
    topic: TopicState,
    key: Bytes | null,
    value: Bytes | null,
    headers: HeadersInit | undefined,
    index: number | undefined,
    timestamp: number,
    receipt: Receipt,
    tag: number,
  ): void {
    // Before it is encoded, so that no memory is spent on it.
    if ((value?.length ?? 0) + (key?.length ?? 0) > this.settings.maxRecordBytes) {
      this.refuseRecord(topic, singleRecordBatchSize(key, value, headers), receipt, tag);
      return;
    }
    const { partitions } = topic;
    const chosen = index ?? this.partitioner(key, partitions.length);
    const sticky = chosen === undefined;
    let partition = sticky
      ? topic.sticky.pick(partitions, key)
      : (partitions[chosen] ?? this.unusual(topic, chosen, index));
    let full: PartitionQueue | undefined;
    for (;;) {
      const batch = partition.backlog.open ?? this.openBatch(partition);
      if (batch === undefined) {
        this.refuseLeaderless(partition, receipt, tag);
        break;
      }
      const before = batch.count === 0 ? 0 : batch.bytes;
      if (batch.tryAppend(key, value, headers, timestamp, receipt, tag)) {
        if (before === 0) {
          if (batch.bytes > this.settings.maxRecordBytes) {
            partition.backlog.open = undefined;
            this.refuseRecord(topic, batch.bytes, receipt, tag);
            break;
          }
          this.deadlines.at(batch.deadlineAt);
          this.sender.list(partition);
          this.sender.schedule();
        }
        const bytes = batch.bytes - before;
        partition.charge(bytes);
        if (sticky) topic.sticky.took(bytes);
        if (
          batch.bytes >= ENOUGH_BYTES &&
          before < ENOUGH_BYTES &&
          batch.count >= ENOUGH_RECORDS &&
          (this.packs ? partition.queued : partition.flight.batches.length) < FEW_BATCHES
        ) {
          full = partition;
          partition.backlog.close();
        }
        break;
      }
      full = partition;
      partition.backlog.close();
      if (sticky) partition = topic.sticky.batchFull(partitions);
    }
    if (full === undefined) return;
    // A full batch goes out now: the broker works on it while the caller makes the next.
    this.sender.list(full);
    this.sender.drain();
  }

  /** Undefined while the partition's breaker is open. */
  private openBatch(partition: PartitionQueue): Batch | undefined {
    const now = this.context.clock.now();
    if (partition.breaker !== undefined && partition.breaker.openForMs(now) > 0) return undefined;
    return partition.openBatch(now);
  }

  private refuseLeaderless({ topic, index, breaker }: PartitionQueue, receipt: Receipt, tag: number): void {
    const leftMs = Math.ceil(breaker!.openForMs(this.context.clock.now()));
    const message = `${topic.name}-${index} has no leader, which records have waited for in vain; none waits for it for another ${leftMs} ms`;
    const place = { retriable: true, api: 'Produce', topic: topic.name, partition: index };
    this.fail(receipt, tag, new BrokerError('LEADER_NOT_AVAILABLE', message, place));
  }

  private unusual(topic: TopicState, chosen: number, asked: number | undefined): PartitionQueue {
    if (asked === undefined)
      throw new UsageError(
        `The partitioner chose ${chosen} for ${topic.name}, which has ${topic.partitions.length} partitions`,
        'partitioner',
      );
    return topic.partition(chosen);
  }

  private refuseRecord(topic: TopicState, bytes: number, receipt: Receipt, tag: number): void {
    const message = `A record for ${topic.name} takes ${bytes} bytes, and maxRecordBytes allows ${this.settings.maxRecordBytes}; raise it, and max.message.bytes of the topic, or write less`;
    const error = new BrokerError('MESSAGE_TOO_LARGE', message, {
      retriable: false,
      api: 'Produce',
      topic: topic.name,
    });
    this.fail(receipt, tag, error);
  }

  private fail(receipt: Receipt, tag: number, error: KafkaError): void {
    this.context.onRecordRefused?.(error);
    this.counters.recordsFailed += 1;
    queueMicrotask(() => this.sender.run(() => failReceipt(receipt, tag, error, this.context)));
  }

  private flushPartition(partition: PartitionQueue, waiter: BatchWaiter): void {
    partition.backlog.close();
    this.sender.list(partition);
    for (const batch of [...partition.flight.batches, ...partition.backlog.closed]) {
      waiter.left += 1;
      (batch.waiters ??= []).push(waiter);
    }
  }

  private expire(now: number): number {
    let next = Infinity;
    this.run(() => {
      next = this.topics.expire(now);
    });
    return next;
  }

  private hasPending(): boolean {
    for (const topic of this.topics.values()) if (topic.pending.length > 0) return true;
    return false;
  }

  private run(work: () => void): void {
    this.sender.run(work);
    if (this.pendingWaiters.length > 0) for (const resolve of this.pendingWaiters.splice(0)) resolve();
  }
}

function closed(topic: string): UsageError {
  return new UsageError(`The producer is closed; a record for ${topic} was not taken`);
}

function notPlaced(topic: string, cause: unknown): UsageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UsageError(`A record for ${topic} was given no partition: ${why}`, 'partitioner', { cause });
}

function owned(value: Bytes | null): Bytes | null {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

function failReceipt(receipt: Receipt, tag: number, error: KafkaError, context: ProducerContext): void {
  try {
    receipt.onFailed(error, tag);
  } catch (thrown) {
    context.report(thrown);
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
