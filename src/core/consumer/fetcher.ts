// Reads many partitions: who asks which broker, and what the answers mean.

import { UsageError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ConnectionLease } from '../cluster/connection-lease.ts';
import { backoffMs, brokerError } from '../cluster/retry.ts';
import { fetchEvents } from '../events/channels.ts';
import { addReadingSource, type ReadingSource } from '../events/readings.ts';
import type { ResponseOf } from '../protocol/api.ts';
import type { fetchApi } from '../protocol/messages/01-fetch.ts';
import { AbortedTransactions } from './aborted-transactions.ts';
import { BrokerFetcher, type BrokerFetchListener, type BrokerLimits } from './broker-fetcher.ts';
import { ByteBudget } from './byte-budget.ts';
import { checkFetcherOptions } from './check-fetcher-options.ts';
import {
  DEFAULT_BUDGET_BYTES,
  DEFAULT_MAX_BATCH_BYTES,
  DEFAULT_MAX_WAIT_MS,
  DEFAULT_MIN_BYTES,
  DEFAULT_PARTITION_FETCH_BYTES,
  DEFAULT_PREFETCH_BYTES,
  DEFAULT_REPLICA_LEASE_MS,
  DEFAULT_TOTAL_PREFETCH_BYTES,
  EMISSION_SLICE_MS,
  FETCH_CONNECTIONS,
} from './defaults.ts';
import { EmissionLoop } from './emission-loop.ts';
import { fetchVerdict } from './fetch-errors.ts';
import { asFailure, isHopeless } from './fetch-failures.ts';
import type { Ask, Asked } from './fetch-request.ts';
import { FetchedData, copyOf, findEnd, isSmallPart } from './fetched-data.ts';
import { FramePin } from './frame-pin.ts';
import { readingOf, tellFailedFetch, tellFetched } from './fetch-trace.ts';
import { HeapBallast } from './heap-ballast.ts';
import { LeaderWatch } from './leader-watch.ts';
import type { FetcherOptions, OutOfRange, ReaderOptions } from './options.ts';
import { RangeRepair } from './out-of-range.ts';
import { PartitionReader } from './partition-reader.ts';
import { ReadReplicas } from './read-replicas.ts';
import type { ReaderHost } from './reader-host.ts';
import { TopicIdentity } from './topic-identity.ts';

/** One request may fill at most this part of the budget, so that one slow answer does not hold all of it. */
const REQUEST_PART = 1 / 32;
const MIN_REQUEST_BYTES = 1024 * 1024;
/** Kafka's `fetch.max.bytes`. */
const MAX_REQUEST_BYTES = 50 * 1024 * 1024;

type FetchResponse = ResponseOf<typeof fetchApi>;
type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** Feeds readers; one per consumer. Finds the brokers, follows leaders, divides the budget; reports through the readers' listeners. */
export class Fetcher implements ReaderHost, BrokerFetchListener {
  readonly clientId: string;
  readonly clock: Clock;
  readonly loop: EmissionLoop;
  readonly budget: ByteBudget;
  readonly partitionFetchBytes: number;
  readonly prefetchBytes: number;
  readonly totalPrefetchBytes: number;
  readonly maxBatchBytes: number;
  readonly readCommitted: boolean;
  private readonly cluster: Cluster;
  private readonly limits: BrokerLimits;
  private readonly readers = new Map<PartitionReader, BrokerFetcher | undefined>();
  private readonly brokers = new Map<number, BrokerFetcher>();
  private readonly watch: LeaderWatch;
  private readonly identity: TopicIdentity;
  private readonly range: RangeRepair;
  private readonly replicas: ReadReplicas;
  private readonly interceptors: FetcherOptions['interceptors'];
  private readonly onTrouble: FetcherOptions['onTrouble'];
  private readonly unsubscribe: () => void;
  private readonly readings: ReadingSource = {
    read: (sink) => {
      for (const reader of this.readers.keys()) sink.partition(readingOf(this.cluster.clientId, reader));
    },
  };
  private readonly forgetReadings = addReadingSource(this.readings);
  private readonly ballast = new HeapBallast();
  private readonly lease: ConnectionLease;
  private answers = 0;
  private isClosed = false;

  constructor(cluster: Cluster, options: FetcherOptions = {}) {
    checkFetcherOptions(options);
    this.cluster = cluster;
    this.clientId = cluster.clientId;
    this.clock = cluster.clock;
    const budgetBytes = positive(options.budgetBytes ?? DEFAULT_BUDGET_BYTES, 'budgetBytes');
    this.budget = new ByteBudget(budgetBytes);
    this.partitionFetchBytes = positive(
      options.partitionFetchBytes ?? DEFAULT_PARTITION_FETCH_BYTES,
      'partitionFetchBytes',
    );
    this.prefetchBytes = positive(options.prefetchBytes ?? DEFAULT_PREFETCH_BYTES, 'prefetchBytes');
    this.totalPrefetchBytes = Math.max(this.prefetchBytes, DEFAULT_TOTAL_PREFETCH_BYTES);
    this.maxBatchBytes = positive(options.maxBatchBytes ?? DEFAULT_MAX_BATCH_BYTES, 'maxBatchBytes');
    this.readCommitted = options.isolationLevel === 'read_committed';
    this.loop = new EmissionLoop(cluster.clock, EMISSION_SLICE_MS);
    this.loop.onLook = (nowMs) => this.pumpDue(nowMs);
    this.lease = new ConnectionLease(cluster, 'fetch');
    this.limits = {
      maxWaitMs: positive(options.fetchMaxWaitMs ?? DEFAULT_MAX_WAIT_MS, 'fetchMaxWaitMs'),
      minBytes: positive(options.fetchMinBytes ?? DEFAULT_MIN_BYTES, 'fetchMinBytes'),
      maxBytes: Math.min(
        MAX_REQUEST_BYTES,
        Math.max(MIN_REQUEST_BYTES, Math.floor(budgetBytes * REQUEST_PART)),
      ),
      readCommitted: this.readCommitted,
      rackId: options.rackId ?? '',
      connections: FETCH_CONNECTIONS,
      firstConnection: this.lease.number * FETCH_CONNECTIONS,
    };
    this.identity = new TopicIdentity(cluster);
    this.onTrouble = options.onTrouble;
    this.interceptors = options.interceptors;
    const replicaLeaseMs = positive(options.replicaLeaseMs ?? DEFAULT_REPLICA_LEASE_MS, 'replicaLeaseMs');
    this.replicas = new ReadReplicas(cluster.clock, replicaLeaseMs);
    this.range = new RangeRepair(cluster, checkedPolicy(options.outOfRange), options.isolationLevel);
    this.watch = new LeaderWatch(cluster, () => this.assignAll());
    this.unsubscribe = cluster.metadata.onChange(() => this.assignAll());
  }

  /** Makes a reader and adds it. */
  open(options: ReaderOptions): PartitionReader {
    const reader = new PartitionReader({ interceptors: this.interceptors, ...options });
    this.add(reader);
    return reader;
  }

  /** Begins to fetch for a reader, up to its share of the budget even before it is started. */
  add(reader: PartitionReader): void {
    if (this.isClosed) throw new UsageError('The fetcher is closed');
    reader.feed.attach(this);
    this.readers.set(reader, undefined);
    this.assign(reader);
  }

  /** Closes a reader. What was handed over may not be settled any more. */
  remove(reader: PartitionReader): void {
    if (this.readers.has(reader)) reader.close();
  }

  /** Closes every reader. Does not wait: what brokers still answer is dropped. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.forgetReadings();
    this.ballast.release();
    this.unsubscribe();
    this.watch.close();
    this.range.close();
    for (const reader of [...this.readers.keys()]) reader.close();
    for (const broker of this.brokers.values()) broker.close();
    this.brokers.clear();
    this.lease.release(this.clock.now() + this.limits.maxWaitMs);
  }

  /** Called by readers. */
  wake(reader: PartitionReader): void {
    this.readers.get(reader)?.wake();
  }

  /** Called by readers. */
  closed(reader: PartitionReader): void {
    this.readers.get(reader)?.readers.delete(reader);
    this.readers.delete(reader);
  }

  /** Called by the brokers' loops. */
  onReserve(bytes: number): void {
    this.budget.reservedBytes += bytes;
  }

  /** Called by the brokers' loops. */
  onAnswer(asked: Asked, response: FetchResponse, nodeId: number): void {
    const { asks } = asked;
    if (response.throttleTimeMs > 0)
      this.brokers.get(nodeId)?.holdBack(this.clock.now() + response.throttleTimeMs);
    if (response.errorCode !== 0) {
      this.onFailure(asks, brokerError(response.errorCode, { api: 'Fetch' }), nodeId);
      return;
    }
    this.answers += 1;
    if (fetchEvents.hasSubscribers) tellFetched(this.cluster.clientId, nodeId, asked, response);
    let bytes = 0;
    let pin: FramePin | undefined;
    const answered: PartitionReader[] = [];
    for (const { topic, topicId, partitions } of response.responses)
      for (const answer of partitions) {
        const ask = asked.find(topic, topicId, answer.partitionIndex);
        if (ask === undefined || ask.generation !== ask.reader.feed.fetch.generation) continue;
        ask.reader.feed.fetch.asked = false;
        answered.push(ask.reader);
        const { records } = answer;
        if (records !== null) {
          bytes += records.length;
          pin ??= new FramePin(this.budget, records.buffer.byteLength);
        }
        this.take(ask, answer, response, pin, nodeId);
      }
    // A throttled broker answers with nothing at all (KIP-219).
    const excused = !asked.complete || response.throttleTimeMs > 0;
    for (const { reader, generation } of asks) {
      const { fetch } = reader.feed;
      if (fetch.generation !== generation || !fetch.asked) continue;
      if (excused) fetch.answered();
      else this.backOff(reader);
    }
    this.ballast.count(bytes);
    this.brokers.get(nodeId)?.pumpAfter(bytes === 0);
    for (const reader of answered) this.loop.now(reader);
  }

  /** Called by the brokers' loops. */
  onFailure(asks: readonly Ask[], error: unknown, nodeId: number): void {
    const nowMs = this.clock.now();
    const jitter = this.cluster.random();
    let failures = 0;
    let partitions = 0;
    for (const { reader, generation } of asks) {
      const { fetch } = reader.feed;
      if (fetch.generation !== generation) continue;
      this.backOff(reader, jitter);
      failures = Math.max(failures, fetch.failures);
      partitions += 1;
      if (isHopeless(fetch, error, nowMs, this.cluster.retry.deadlineMs))
        reader.feed.fail(asFailure(error, reader));
      else this.watch.ask(reader.topic);
      if (this.replicas.leave(reader)) this.assign(reader);
    }
    if (partitions > 0) this.onTrouble?.({ nodeId, error, partitions, failures });
    if (fetchEvents.hasSubscribers) tellFailedFetch(this.cluster.clientId, nodeId, partitions, error);
    this.brokers.get(nodeId)?.pump();
  }

  /** Called by the brokers' loops: the leader is asked again, and may name the same follower. */
  onLeaseEnd(reader: PartitionReader): void {
    if (this.replicas.end(reader)) this.assign(reader);
  }

  private take(
    ask: Ask,
    answer: PartitionAnswer,
    response: FetchResponse,
    pin: FramePin | undefined,
    nodeId: number,
  ): void {
    const { reader, offset } = ask;
    const { fetch } = reader.feed;
    if (answer.errorCode !== 0) {
      this.onErrorCode(ask, answer, response);
      return;
    }
    if (answer.divergingEpoch.endOffset >= 0) {
      if (!this.backToLeader(reader)) this.range.truncated(reader, answer.divergingEpoch);
      return;
    }
    reader.feed.sawEnd(this.readCommitted ? answer.lastStableOffset : answer.highWatermark);
    fetch.answered();
    if (answer.preferredReadReplica >= 0) this.follow(reader, answer.preferredReadReplica, nodeId);
    if (answer.records === null || answer.records.length === 0) return;
    fetch.lastServed = this.answers;
    const { nextOffset, leaderEpoch, largestBatchBytes } = findEnd(answer.records);
    const aborted = this.readCommitted
      ? new AbortedTransactions(answer.abortedTransactions ?? [])
      : undefined;
    const apart = isSmallPart(answer.records) && (reader.feed.isWaiting || this.budget.isCrowded);
    const data = apart
      ? new FetchedData(copyOf(answer.records), aborted)
      : new FetchedData(answer.records, aborted, pin);
    reader.feed.push(data, largestBatchBytes);
    if (nextOffset > offset) {
      fetch.offset = nextOffset;
      fetch.leaderEpoch = leaderEpoch;
    } else this.backOff(reader);
  }

  private onErrorCode(ask: Ask, answer: PartitionAnswer, response: FetchResponse): void {
    const { reader } = ask;
    const { topic, partition } = reader;
    const verdict = fetchVerdict(answer.errorCode);
    // A follower may be behind, in what it holds and in what it knows.
    if (verdict !== 'again' && this.backToLeader(reader)) {
      if (verdict !== 'range') this.watch.ask(topic);
      return;
    }
    switch (verdict) {
      case 'moved':
        if (!this.followHint(ask, answer, response)) this.lookAround(reader);
        break;
      case 'identity':
        this.identity.doubt(reader);
        this.lookAround(reader);
        break;
      case 'range':
        void this.range.repair(reader);
        break;
      case 'again':
        this.backOff(reader);
        break;
      case 'fatal':
        reader.feed.fail(brokerError(answer.errorCode, { api: 'Fetch', topic, partition }));
    }
  }

  /** The answer itself may name the new leader and where it is (KIP-951). Returns whether that was news. */
  private followHint(
    { reader, currentLeaderEpoch }: Ask,
    answer: PartitionAnswer,
    response: FetchResponse,
  ): boolean {
    const { leaderId, leaderEpoch } = answer.currentLeader;
    if (leaderId < 0 || leaderEpoch <= currentLeaderEpoch) return false;
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId);
    const { metadata } = this.cluster;
    metadata.updateLeader(reader.topic, reader.partition, {
      nodeId: leaderId,
      leaderEpoch,
      ...(endpoint !== undefined && { host: endpoint.host, port: endpoint.port }),
    });
    this.assign(reader);
    return metadata.leader(reader.topic, reader.partition)?.leaderEpoch === leaderEpoch;
  }

  /** The leader named a follower that is nearer. */
  private follow(reader: PartitionReader, replica: number, nodeId: number): void {
    if (replica === nodeId || this.limits.rackId === '') return;
    if (!this.cluster.nodeIds().includes(replica)) {
      this.lookAround(reader);
      return;
    }
    this.replicas.lease(reader, replica);
    this.assign(reader);
  }

  /** True when the answer came from a follower: the leader is asked before anything is made of it. */
  private backToLeader(reader: PartitionReader): boolean {
    if (!this.replicas.leave(reader)) return false;
    this.assign(reader);
    return true;
  }

  private lookAround(reader: PartitionReader): void {
    this.backOff(reader);
    this.watch.ask(reader.topic);
  }

  /** The reader is asked for again, but not at once; those that failed together go on together. */
  private backOff(reader: PartitionReader, jitter = this.cluster.random()): void {
    const { fetch } = reader.feed;
    const { minDelayMs, maxDelayMs } = this.cluster.retry;
    fetch.asked = false;
    fetch.failures += 1;
    fetch.notBeforeMs = this.clock.now() + backoffMs(fetch.failures, minDelayMs, maxDelayMs, () => jitter);
  }

  private assignAll(): void {
    for (const reader of [...this.readers.keys()]) this.assign(reader);
  }

  /** Gives a reader to the broker that leads its partition now, or to the follower it has a lease of; without either, keeps looking. */
  private assign(reader: PartitionReader): void {
    if (this.isClosed || !this.readers.has(reader)) return;
    const fault = this.identity.check(reader);
    if (fault !== undefined) {
      this.leave(reader);
      reader.feed.fail(fault);
      return;
    }
    const leader =
      reader.topicId === '' ? undefined : this.cluster.metadata.leader(reader.topic, reader.partition);
    const before = this.readers.get(reader);
    if (leader === undefined || this.identity.isDoubted(reader)) this.watch.ask(reader.topic);
    const { follower } = reader.feed.fetch;
    const nodeId = follower < 0 ? leader?.nodeId : follower;
    if (before?.nodeId === nodeId) return;
    this.leave(reader);
    if (nodeId === undefined) return;
    const broker = this.broker(nodeId);
    this.readers.set(reader, broker);
    broker.readers.add(reader);
    broker.wake();
  }

  private leave(reader: PartitionReader): void {
    const broker = this.readers.get(reader);
    if (broker === undefined) return;
    broker.readers.delete(reader);
    this.readers.set(reader, undefined);
    reader.feed.fetch.abandon();
  }

  private broker(nodeId: number): BrokerFetcher {
    let broker = this.brokers.get(nodeId);
    if (broker === undefined) {
      broker = new BrokerFetcher(this.cluster, nodeId, this.limits, this);
      this.brokers.set(nodeId, broker);
    }
    return broker;
  }

  private pumpDue(nowMs: number): void {
    for (const broker of this.brokers.values()) broker.pumpIfDue(nowMs);
  }
}

function checkedPolicy(policy: OutOfRange = 'fail'): OutOfRange {
  if (typeof policy === 'object' && !(policy.byMs >= 0))
    throw new UsageError(`outOfRange.byMs must be milliseconds from 0, not ${policy.byMs}`, 'outOfRange');
  return policy;
}

function positive(value: number, option: string): number {
  if (!(value >= 1)) throw new UsageError(`${option} must be at least 1, not ${value}`, option);
  return value;
}
