// Decides what goes out when, groups it by the broker that leads it, and passes each answer to its partition.

import { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { codecId, prepareCodec } from '../compression/registry.ts';
import { produceEvents } from '../events/channels.ts';
import { produceApi } from '../protocol/messages/00-produce.ts';
import { Answers } from './answers.ts';
import { BrokerNode } from './broker-node.ts';
import type { ProducerContext } from './context.ts';
import type { Leaders } from './leaders.ts';
import { tellSent } from './produce-trace.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { ProduceRequest } from './produce-request.ts';
import type { Identities } from './producer-ids.ts';

/** Sends what the partitions have; one per producer. */
export class Sender {
  private readonly cluster: Cluster;
  private readonly context: ProducerContext;
  private readonly ids: Identities;
  private readonly leaders: Leaders;
  private readonly answers: Answers;
  private readonly nodes = new Map<number, BrokerNode>();
  private listed: PartitionQueue[] = [];
  private draining = false;
  private depth = 0;
  private scheduled = false;
  private codecLoading = false;
  /** Batches are compressed ahead of their sealing, large ones by other threads. */
  private readonly packs: boolean;
  private readonly quietWaiters: (() => void)[] = [];

  constructor(cluster: Cluster, context: ProducerContext, ids: Identities, leaders: Leaders) {
    this.cluster = cluster;
    this.context = context;
    this.packs = context.settings.compression !== 'none' && context.clock.isReal === true;
    this.ids = ids;
    this.leaders = leaders;
    this.answers = new Answers(cluster.metadata, context, leaders, (partition) => this.list(partition));
  }

  /** The partition is looked at in the next pass. */
  list(partition: PartitionQueue): void {
    if (partition.listed) return;
    partition.listed = true;
    this.listed.push(partition);
  }

  /** A pass after the present turn of the caller, so that what it sends in one go shares batches. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.drain();
    });
  }

  /** Runs `work`, which may change partitions and call receipts, and sends what it made ready. */
  run(work: () => void): void {
    this.depth += 1;
    try {
      work();
    } finally {
      this.depth -= 1;
    }
    this.drain();
  }

  /** Sends all that may be sent now. */
  drain(): void {
    if (this.draining || this.depth > 0) return;
    this.draining = true;
    try {
      const left: PartitionQueue[] = [];
      while (this.listed.length > 0 && this.codecReady()) {
        const round = this.listed;
        this.listed = [];
        this.drainRound(round, left);
      }
      this.listed.push(...left);
    } finally {
      this.draining = false;
    }
    this.context.ready.announce(this.context.report);
  }

  /** Stops every timer. */
  stop(): void {
    for (const node of this.nodes.values()) node.wake?.cancel();
  }

  /** At most one batch of each partition; `left` are those that wait for a producer id. */
  private drainRound(round: readonly PartitionQueue[], left: PartitionQueue[]): void {
    const now = this.context.clock.now();
    for (const partition of round) {
      if (partition.isEmpty || !this.hasIdentity(partition)) {
        partition.listed = !partition.isEmpty;
        if (partition.listed) left.push(partition);
        continue;
      }
      partition.listed = false;
      this.offer(partition, now);
    }
    for (const node of this.nodes.values()) this.dispatch(node);
  }

  private hasIdentity(partition: PartitionQueue): boolean {
    if (partition.flight.sequence.assigned) return true;
    const identity = this.ids.get(partition, this.onIdentity);
    if (identity === undefined) return false;
    partition.flight.assign(identity);
    return true;
  }

  private readonly onIdentity = (error: KafkaError | undefined): void => {
    if (error === undefined) this.drain();
    else this.failListed(error);
  };

  private offer(partition: PartitionQueue, now: number): void {
    const batch = partition.select(now);
    if (batch === undefined) {
      // Its last epoch may just have been used up.
      if (!partition.flight.sequence.assigned) this.list(partition);
      else this.wakeLater(partition, now);
      return;
    }
    const nodeId = this.leaders.nodeOf(partition);
    if (nodeId === undefined) return;
    const node = this.node(nodeId);
    const { request } = node;
    if (request !== undefined && request.bytes + batch.wireBytes > this.context.settings.maxRequestBytes)
      this.dispatch(node);
    if (node.inFlight >= this.context.settings.maxInFlight || now < node.throttledUntil) {
      partition.listed = true;
      node.waiting.push(partition);
      return;
    }
    if (this.packs && batch.state === 'filling' && !partition.pack(batch, () => this.packed(partition))) {
      if (!batch.isPacking) this.list(partition);
      return;
    }
    if (partition.begin(batch)) (node.request ??= new ProduceRequest()).add(partition, batch);
    this.list(partition);
  }

  private packed(partition: PartitionQueue): void {
    this.run(() => this.list(partition));
  }

  private wakeLater(partition: PartitionQueue, now: number): void {
    const at = partition.wakeAt(now);
    if (at === Infinity) return;
    partition.wake?.cancel();
    partition.wake = this.context.clock.setTimeout(() => {
      partition.wake = undefined;
      this.list(partition);
      this.drain();
    }, at - now);
  }

  private dispatch(node: BrokerNode): void {
    const { request } = node;
    if (request === undefined) return;
    node.request = undefined;
    node.inFlight += 1;
    const { settings, clock, counters } = this.context;
    counters.requests += 1;
    if (produceEvents.hasSubscribers) tellSent(node.nodeId, request, this.context);
    const timeoutMs = Math.max(1, Math.min(settings.requestTimeoutMs, request.deadlineAt - clock.now()));
    if (timeoutMs < settings.requestTimeoutMs)
      for (const { batch } of request.entries) batch.isCutShort = true;
    // The broker gives up waiting for its followers first, so that its answer arrives.
    const body = request.body(Math.max(1, Math.floor(timeoutMs / 2)), settings);
    const maxVersion = Math.min(request.maxVersion, this.context.maxProduceVersion);
    this.cluster
      .send(node.nodeId, produceApi, body, {
        timeoutMs,
        use: 'produce',
        maxVersion,
        isUnanswered: settings.acks === 0,
      })
      .then(
        (answer) =>
          this.run(() => {
            this.release(node, settings.acks === 0 ? 0 : answer.throttleTimeMs);
            if (settings.acks === 0) this.answers.written(request);
            else this.answers.take(request, answer);
          }),
        (error: unknown) =>
          this.run(() => {
            this.release(node, 0);
            this.answers.none(request, error);
          }),
      )
      .catch(this.context.report);
  }

  /** Resolves when no Produce request is out. Nothing new must be sent meanwhile. */
  whenQuiet(): Promise<void> {
    if (!this.isBusy()) return Promise.resolve();
    return new Promise((resolve) => this.quietWaiters.push(resolve));
  }

  private isBusy(): boolean {
    for (const node of this.nodes.values()) if (node.inFlight > 0) return true;
    return false;
  }

  private release(node: BrokerNode, throttleTimeMs: number): void {
    node.inFlight -= 1;
    if (this.quietWaiters.length > 0 && !this.isBusy())
      for (const resolve of this.quietWaiters.splice(0)) resolve();
    if (throttleTimeMs > 0) {
      const { clock } = this.context;
      node.throttledUntil = clock.now() + throttleTimeMs;
      node.wake?.cancel();
      node.wake = clock.setTimeout(() => this.run(() => this.relist(node)), throttleTimeMs);
      return;
    }
    this.relist(node);
  }

  private relist(node: BrokerNode): void {
    for (const partition of node.waiting.splice(0)) {
      partition.listed = false;
      this.list(partition);
    }
  }

  private node(nodeId: number): BrokerNode {
    let node = this.nodes.get(nodeId);
    if (node === undefined) {
      node = new BrokerNode(nodeId);
      this.nodes.set(nodeId, node);
    }
    return node;
  }

  private codecReady(): boolean {
    if (this.codecLoading) return false;
    const loading = prepareCodec(codecId(this.context.settings.compression));
    if (loading === undefined) return true;
    this.codecLoading = true;
    loading
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .then((error) => {
        this.codecLoading = false;
        if (error instanceof KafkaError) this.failListed(error);
        else this.drain();
      })
      .catch(this.context.report);
    return false;
  }

  private failListed(error: KafkaError): void {
    this.run(() => {
      for (const partition of this.listed.splice(0)) {
        partition.listed = false;
        partition.failAll(error);
      }
    });
  }
}
