// The topics a producer writes to: what metadata says of them, which partitions wait for a leader, and what waits too long.

import { TimeoutError } from '../../errors.ts';
import type { BrokerError, KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { errorCode } from '../protocol/error-codes.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { ProducerContext } from './context.ts';
import type { Deadlines } from './deadlines.ts';
import type { Leaders } from './leaders.ts';
import { MetadataRequests } from './metadata-requests.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { TopicState } from './topic-state.ts';

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** What the topics ask of the producer. */
export interface TopicsHost {
  /** The partition's leader is known now. */
  look(partition: PartitionQueue): void;
  /** The topic is known now: takes its waiting records. */
  replay(topic: TopicState): void;
  /** Runs `work`, which may call receipts, and sends what it made ready. */
  run(work: () => void): void;
}

/** Every topic of one producer. */
export class Topics implements Leaders {
  private readonly cluster: Cluster;
  private readonly context: ProducerContext;
  private readonly deadlines: Deadlines;
  private readonly host: TopicsHost;
  private readonly requests: MetadataRequests;
  private readonly byName = new Map<string, TopicState>();
  private readonly leaderless = new Set<PartitionQueue>();
  private readonly unsubscribe: () => void;

  constructor(
    cluster: Cluster,
    context: ProducerContext,
    deadlines: Deadlines,
    host: TopicsHost,
    stop: AbortSignal,
  ) {
    this.cluster = cluster;
    this.context = context;
    this.deadlines = deadlines;
    this.host = host;
    this.requests = new MetadataRequests(cluster, context, stop, (error) => this.onRefreshed(error));
    this.unsubscribe = cluster.metadata.onChange(() => this.host.run(() => this.onMetadata()));
  }

  /** Listens no more and stops every timer. */
  stop(): void {
    this.unsubscribe();
    for (const topic of this.byName.values()) for (const partition of topic.all()) partition.wake?.cancel();
  }

  values(): Iterable<TopicState> {
    return this.byName.values();
  }

  find(name: string): TopicState | undefined {
    return this.byName.get(name);
  }

  /** The topic's state, made and filled from the cache when it is new. */
  get(name: string): TopicState {
    let topic = this.byName.get(name);
    if (topic === undefined) {
      topic = new TopicState(name, this.context, (partition) => this.leaderOf(partition) !== undefined);
      this.byName.set(name, topic);
      this.update(topic);
    }
    return topic;
  }

  /** A record waits for this topic to be known. */
  want(topic: TopicState): void {
    this.requests.want(topic.name);
  }

  nodeOf(partition: PartitionQueue): number | undefined {
    const nodeId = this.leaderOf(partition);
    if (nodeId !== undefined) {
      partition.missingSince = -1;
      if (partition.breaker !== undefined) partition.breaker = undefined;
      return nodeId;
    }
    this.leaderless.add(partition);
    this.requests.want(partition.topic.name);
    return undefined;
  }

  suspect(partition: PartitionQueue): void {
    this.requests.want(partition.topic.name);
  }

  /** Fails what waited too long; returns when to look again. */
  expire(now: number): number {
    let next = Infinity;
    for (const topic of this.byName.values()) {
      next = Math.min(next, this.expirePending(topic, now));
      for (const partition of topic.all()) {
        if (partition.deadlineAt <= now && this.leaderOf(partition) === undefined)
          partition.waitedInVain(now);
        partition.expire(now);
        const missingUntil = this.missingUntil(partition.missingSince);
        if (missingUntil <= now) {
          partition.missingSince = -1;
          partition.waitedInVain(now);
          partition.failAll(this.noSuchPartition(partition));
        }
        if (!partition.isEmpty)
          next = Math.min(next, this.missingUntil(partition.missingSince), partition.deadlineAt);
      }
    }
    return next;
  }

  private expirePending(topic: TopicState, now: number): number {
    if (topic.pending.length === 0) return Infinity;
    const { deliveryTimeoutMs: afterMs } = this.context.settings;
    const { trouble } = this.context;
    const missingUntil = this.missingUntil(topic.missingSince);
    if (missingUntil <= now) {
      topic.breaker.failed(now);
      topic.missingSince = -1;
      topic.failPending(() => true, this.noSuchTopic(topic));
      return Infinity;
    }
    if (topic.pending[0]!.takenAt + afterMs <= now) {
      const why = trouble === undefined ? '' : `; the last error was: ${trouble.message}`;
      const message = `Records for topic ${topic.name} were not sent within ${afterMs} ms, for its partitions are not known${why}`;
      const error = new TimeoutError(message, { afterMs, sent: false, api: 'Metadata', cause: trouble });
      topic.breaker.failed(now);
      topic.failPending(({ takenAt }) => takenAt + afterMs <= now, error);
    }
    const oldest = topic.pending[0];
    return oldest === undefined ? Infinity : Math.min(missingUntil, oldest.takenAt + afterMs);
  }

  private missingUntil(since: number): number {
    return since < 0 ? Infinity : since + this.context.settings.metadataTimeoutMs;
  }

  private onMetadata(): void {
    for (const topic of this.byName.values()) this.update(topic);
    for (const partition of [...this.leaderless]) {
      if (!partition.isEmpty && this.leaderOf(partition) === undefined) continue;
      this.leaderless.delete(partition);
      this.host.look(partition);
    }
  }

  private onRefreshed(error: KafkaError | undefined): void {
    this.host.run(() => {
      if (error !== undefined && !error.retriable) this.failWaiting(error);
      this.onMetadata();
      for (const topic of this.byName.values()) if (topic.pending.length > 0) this.requests.want(topic.name);
      for (const partition of this.leaderless) this.markMissing(partition);
    });
  }

  private failWaiting(error: KafkaError): void {
    for (const topic of this.byName.values()) topic.failPending(() => true, error);
    for (const partition of [...this.leaderless]) partition.failAll(error);
  }

  private update(topic: TopicState): void {
    const found = this.cluster.metadata.topic(topic.name);
    if (found === undefined) return;
    if (found.errorCode === 0) {
      if (found.partitions.length === 0) return;
      topic.update(found, ZERO_UUID);
      if (topic.pending.length > 0) this.host.replay(topic);
      return;
    }
    if (found.errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      if (topic.missingSince >= 0) return;
      topic.missingSince = this.context.clock.now();
      this.deadlines.at(this.missingUntil(topic.missingSince));
    } else if (!errorCode(found.errorCode).retriable) {
      topic.failAll(brokerError(found.errorCode, { api: 'Metadata', topic: topic.name }));
    }
  }

  /** Of a partition without a leader: wants its topic again, and notes when there is no such partition at all. */
  private markMissing(partition: PartitionQueue): void {
    const { topic, index } = partition;
    this.requests.want(topic.name);
    const found = this.cluster.metadata.topic(topic.name);
    const exists = found !== undefined && found.partitions.some((known) => known.index === index);
    const answered =
      found !== undefined && (found.errorCode === 0 || found.errorCode === UNKNOWN_TOPIC_OR_PARTITION);
    if (exists || !answered) {
      partition.missingSince = -1;
    } else if (partition.missingSince < 0) {
      partition.missingSince = this.context.clock.now();
      this.deadlines.at(this.missingUntil(partition.missingSince));
    }
  }

  private leaderOf({ topic, index }: PartitionQueue): number | undefined {
    return this.cluster.metadata.leader(topic.name, index)?.nodeId;
  }

  private noSuchTopic({ name }: TopicState): BrokerError {
    const { metadataTimeoutMs } = this.context.settings;
    const detail = `there is still no such topic after ${metadataTimeoutMs} ms; create it, or check its name`;
    return brokerError(UNKNOWN_TOPIC_OR_PARTITION, { api: 'Metadata', topic: name, detail });
  }

  private noSuchPartition({ topic, index }: PartitionQueue): BrokerError {
    const { metadataTimeoutMs } = this.context.settings;
    const detail = `there is still no such partition after ${metadataTimeoutMs} ms; the topic has ${topic.partitions.length}`;
    return brokerError(UNKNOWN_TOPIC_OR_PARTITION, {
      api: 'Metadata',
      topic: topic.name,
      partition: index,
      detail,
    });
  }
}
