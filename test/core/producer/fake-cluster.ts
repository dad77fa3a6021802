// A cluster of two brokers behind the `Cluster` interface, in simulated time, whose every answer a test can spoil.

import type { Cluster, SendOptions } from '../../../src/core/cluster/cluster.ts';
import type {
  LeaderHint,
  LeaderInfo,
  MetadataCache,
  TopicMetadata,
} from '../../../src/core/cluster/metadata.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../../../src/core/protocol/api.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { initProducerIdApi } from '../../../src/core/protocol/messages/22-init-producer-id.ts';
import { ZERO_UUID } from '../../../src/core/protocol/schema.ts';
import { ConnectionError, TimeoutError } from '../../../src/errors.ts';
import type { KafkaError, BrokerError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';
import { FakeLog } from './fake-log.ts';

type ProduceBody = RequestOf<typeof produceApi>;
type ProduceAnswer = ResponseOf<typeof produceApi>;

/**
 * What happens to a Produce request: `drop` = the connection breaks before it is applied, `apply-drop` = after; `hang` = no answer, not applied;
 * `late` = no answer before the client gives up, applied afterwards with all that came behind it on its connection; a number = that error code
 * for every partition in it, `{ apply }` = the same although it was applied.
 */
export type Fault = 'ok' | 'drop' | 'apply-drop' | 'hang' | 'late' | number | { readonly apply: number };

interface Pending {
  readonly body: ProduceBody;
  readonly resolve: (answer: ProduceAnswer) => void;
  readonly reject: (error: KafkaError) => void;
  readonly cancel: () => void;
}

interface Wire {
  readonly nodeId: number;
  readonly queue: Pending[];
  busy: boolean;
  closed: boolean;
  late: boolean;
}

const NOT_LEADER_OR_FOLLOWER = 6;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const UNKNOWN_TOPIC_ID = 100;
const LATENCY_MS = 5;

export class FakeCluster implements Cluster {
  readonly clock = new VirtualClock();
  readonly clientId = 'test';
  readonly requestTimeoutMs = 30_000;
  readonly retry = { deadlineMs: 30_000, minDelayMs: 100, maxDelayMs: 1000, retries: Infinity };
  readonly closing = new AbortController().signal;
  closed = false;
  /** One for each Produce request that a broker takes up; then all goes well. */
  faults: Fault[] = [];
  readonly produced: {
    readonly nodeId: number;
    readonly at: number;
    readonly body: ProduceBody;
    readonly version: number;
  }[] = [];
  /** Answers of InitProducerId before the good one. */
  initErrors: number[] = [];
  refreshes = 0;
  refreshError: KafkaError | undefined;
  hints = false;
  throttleTimeMs = 0;
  appendTimeMs = -1;
  latencyMs = LATENCY_MS;
  private readonly logs = new Map<string, FakeLog>();
  private readonly leaders = new Map<string, number>();
  private readonly ids = new Map<string, string>();
  private known = new Map<string, TopicMetadata>();
  private readonly partitionCounts = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private readonly wires = new Map<number, Wire>();
  private nextProducerId = 1000;
  private seed = 1;

  readonly random = (): number => {
    this.seed = (this.seed * 48271) % 0x7fffffff;
    return this.seed / 0x7fffffff;
  };

  // --- the cluster's side

  createTopic(name: string, partitions: number, id: string = ZERO_UUID): void {
    this.partitionCounts.set(name, partitions);
    this.ids.set(name, id);
    for (let index = 0; index < partitions; index += 1) {
      const key = `${name}-${index}`;
      if (!this.logs.has(key)) this.logs.set(key, new FakeLog());
      if (!this.leaders.has(key)) this.leaders.set(key, index % 2);
    }
  }

  recreateTopic(name: string, partitions: number, id: string): void {
    for (const key of [...this.logs.keys()]) if (key.startsWith(`${name}-`)) this.logs.delete(key);
    this.createTopic(name, partitions, id);
  }

  deleteTopic(name: string): void {
    this.partitionCounts.delete(name);
  }

  /** -1: no leader. The client learns of it by a refresh or a hint. */
  moveLeader(topic: string, partition: number, nodeId: number): void {
    this.leaders.set(`${topic}-${partition}`, nodeId);
  }

  log(topic: string, partition: number): FakeLog {
    return this.logs.get(`${topic}-${partition}`)!;
  }

  // --- the client's side

  readonly metadata: MetadataCache = {
    topic: (name) => this.known.get(name),
    topicById: (id) => [...this.known.values()].find((topic) => topic.id === id),
    topics: () => this.known.values(),
    leader: (topic, partition) => this.leader(topic, partition),
    onChange: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
    rack: () => undefined,
    updateLeader: (topic, partition, hint) => this.updateLeader(topic, partition, hint),
  };

  async refresh(topics: readonly string[] = []): Promise<void> {
    this.refreshes += 1;
    await this.sleep(LATENCY_MS);
    if (this.refreshError !== undefined) throw this.refreshError;
    for (const name of topics) this.known.set(name, this.describe(name));
    this.changed();
  }

  async send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: RequestOf<A> | ((version: number) => RequestOf<A>),
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    if (api.key === initProducerIdApi.key) return (await this.initProducerId()) as ResponseOf<A>;
    const version = Math.min(produceApi.maxVersion, options.maxVersion ?? produceApi.maxVersion);
    const body = request as ProduceBody;
    this.produced.push({ nodeId, at: this.clock.now(), body, version });
    return (await this.produce(nodeId, body, options.timeoutMs ?? this.requestTimeoutMs)) as ResponseOf<A>;
  }

  negotiated(): Promise<number> {
    return Promise.resolve(produceApi.maxVersion);
  }

  nodeIds(): readonly number[] {
    return [0, 1];
  }

  anyNode(): Promise<number> {
    return Promise.resolve(0);
  }

  controller(): Promise<number> {
    return Promise.resolve(0);
  }

  coordinator(): Promise<number> {
    return Promise.resolve(0);
  }

  forgetTopics(): void {}

  forgetCoordinator(): void {
    // There is none.
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  // --- inside

  private leader(topic: string, partition: number): LeaderInfo | undefined {
    return this.known.get(topic)?.partitions[partition]?.leader;
  }

  private describe(name: string): TopicMetadata {
    const count = this.partitionCounts.get(name);
    if (count === undefined)
      return {
        name,
        id: ZERO_UUID,
        errorCode: UNKNOWN_TOPIC_OR_PARTITION,
        isInternal: false,
        partitions: [],
      };
    const partitions = Array.from({ length: count }, (_, index) => {
      const nodeId = this.leaders.get(`${name}-${index}`)!;
      const leader = nodeId < 0 ? undefined : { nodeId, leaderEpoch: -1 };
      return { index, errorCode: 0, leader, leaderEpoch: -1, replicas: [0, 1], isr: [0, 1] };
    });
    return { name, id: this.ids.get(name)!, errorCode: 0, isInternal: false, partitions };
  }

  private updateLeader(topic: string, partition: number, { nodeId, leaderEpoch }: LeaderHint): void {
    const found = this.known.get(topic)!;
    const partitions = found.partitions.map((old) =>
      old.index === partition ? { ...old, leader: { nodeId, leaderEpoch } } : old,
    );
    this.known.set(topic, { ...found, partitions });
    this.changed();
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }

  private async initProducerId(): Promise<unknown> {
    await this.sleep(LATENCY_MS);
    const errorCode = this.initErrors.shift() ?? 0;
    return {
      throttleTimeMs: 0,
      errorCode,
      producerId: errorCode === 0 ? this.nextProducerId++ : -1,
      producerEpoch: 0,
    };
  }

  private produce(nodeId: number, body: ProduceBody, timeoutMs: number): Promise<ProduceAnswer> {
    return new Promise((resolve, reject) => {
      let wire = this.wires.get(nodeId);
      if (wire === undefined || wire.closed) {
        wire = { nodeId, queue: [], busy: false, closed: false, late: false };
        this.wires.set(nodeId, wire);
      }
      const taken = wire;
      const timer = this.clock.setTimeout(() => {
        reject(new TimeoutError('no answer', { afterMs: timeoutMs, sent: true, api: 'Produce' }));
        this.breakWire(taken);
      }, timeoutMs);
      taken.queue.push({ body, resolve, reject, cancel: () => timer.cancel() });
      this.serve(taken);
    });
  }

  private serve(wire: Wire): void {
    if (wire.busy || wire.closed || wire.queue.length === 0) return;
    wire.busy = true;
    const fault = this.faults.shift() ?? 'ok';
    this.clock.setTimeout(() => this.handle(wire, fault), this.latencyMs);
  }

  private handle(wire: Wire, fault: Fault): void {
    if (wire.closed) return;
    if (fault === 'hang' || fault === 'late') {
      wire.late = fault === 'late';
      return;
    }
    const { body, resolve, cancel } = wire.queue[0]!;
    if (fault === 'drop') {
      this.breakWire(wire);
      return;
    }
    const answer =
      typeof fault === 'number'
        ? this.answer(body, () => ({ errorCode: fault, offset: -1 }))
        : this.apply(wire.nodeId, body);
    if (fault === 'apply-drop') {
      this.breakWire(wire);
      return;
    }
    wire.queue.shift();
    wire.busy = false;
    cancel();
    resolve(
      typeof fault === 'object' ? this.answer(body, () => ({ errorCode: fault.apply, offset: -1 })) : answer,
    );
    this.serve(wire);
  }

  /** The client sees the connection end; a broker that was only slow goes on with what it has. */
  private breakWire(wire: Wire): void {
    if (wire.closed) return;
    wire.closed = true;
    const queue = wire.queue.splice(0);
    for (const { reject, cancel } of queue) {
      cancel();
      reject(new ConnectionError('connection lost', { host: 'fake', port: 1, phase: 'io' }));
    }
    if (!wire.late) return;
    this.clock.setTimeout(() => {
      for (const { body } of queue) this.apply(wire.nodeId, body);
    }, 40);
  }

  private apply(nodeId: number, body: ProduceBody): ProduceAnswer {
    return this.answer(body, (topic, index, records) => {
      const log = this.logs.get(`${topic}-${index}`);
      if (log === undefined) return { errorCode: UNKNOWN_TOPIC_OR_PARTITION, offset: -1 };
      if (this.leaders.get(`${topic}-${index}`) !== nodeId)
        return { errorCode: NOT_LEADER_OR_FOLLOWER, offset: -1 };
      return log.append(records);
    });
  }

  private answer(
    body: ProduceBody,
    each: (
      topic: string,
      index: number,
      records: Buffer,
    ) => { readonly errorCode: number; readonly offset: number },
  ): ProduceAnswer {
    const endpoints = new Map<number, { nodeId: number; host: string; port: number; rack: null }>();
    const responses = body.topicData.map((topic) => {
      const name = topic.name ?? '';
      const staleId = topic.topicId !== this.ids.get(name) && topic.topicId !== ZERO_UUID;
      const partitionResponses = topic.partitionData.map(({ index, records }) => {
        const { errorCode, offset } = staleId
          ? { errorCode: UNKNOWN_TOPIC_ID, offset: -1 }
          : each(name, index, records as Buffer);
        const leaderId = this.leaders.get(`${name}-${index}`) ?? -1;
        const hinted = this.hints && errorCode === NOT_LEADER_OR_FOLLOWER && leaderId >= 0;
        if (hinted) endpoints.set(leaderId, { nodeId: leaderId, host: 'fake', port: leaderId, rack: null });
        return {
          index,
          errorCode,
          baseOffset: offset,
          logAppendTimeMs: errorCode === 0 ? this.appendTimeMs : -1,
          logStartOffset: 0,
          recordErrors: [],
          errorMessage: null,
          currentLeader: { leaderId: hinted ? leaderId : -1, leaderEpoch: -1 },
        };
      });
      return { name, topicId: topic.topicId ?? ZERO_UUID, partitionResponses };
    });
    return { responses, throttleTimeMs: this.throttleTimeMs, nodeEndpoints: [...endpoints.values()] };
  }
}

/** An error a refresh can be made to fail with. */
export function unreachable(): BrokerError {
  return new ConnectionError('nobody there', { host: 'fake', port: 1, phase: 'dial' });
}
