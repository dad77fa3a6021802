// A kafkajs whose group and batches are what the test says.
import type {
  Consumer,
  ConsumerConfig,
  ConsumerRunConfig,
  EachBatchPayload,
  KafkaMessage,
  Offsets,
} from 'kafkajs';
import type { KafkajsClient } from '../../src/kafkajs/index.ts';

type Listener = (event: { payload: unknown }) => void;

/** An error as kafkajs's protocol errors are. */
export function protocolError(type: string, code: number): Error {
  return Object.assign(new Error(`it is ${type}`), {
    name: 'KafkaJSProtocolError',
    type,
    code,
    retriable: false,
  });
}

export function message(offset: number, value = `v${offset}`): KafkaMessage {
  return {
    key: null,
    value: Buffer.from(value),
    timestamp: '1000',
    attributes: 0,
    offset: `${offset}`,
    headers: {},
  };
}

/** One consumer, driven by hand. */
export class FakeKafkajs {
  config: ConsumerConfig | undefined;
  readonly commits: { partition?: number; offset: string; metadata?: string }[] = [];
  readonly seeks: { topic: string; partition: number; offset: string }[] = [];
  readonly paused = new Set<string>();
  readonly resolved: string[] = [];
  heartbeats = 0;
  disconnects = 0;
  /** What the next heartbeats end with. */
  heartbeatError: Error | undefined;
  commitError: Error | undefined;
  committed: { partition: number; offset: string; metadata: string | null }[] = [
    { partition: 0, offset: '-1', metadata: null },
    { partition: 1, offset: '-1', metadata: null },
  ];
  ends = { low: '0', high: '100' };
  private readonly listeners = new Map<string, Listener[]>();
  private run: ConsumerRunConfig | undefined;
  private readonly sought = new Set<string>();

  readonly client: KafkajsClient = {
    consumer: (config: ConsumerConfig) => {
      this.config = config;
      return this.consumer as unknown as Consumer;
    },
    producer: () => {
      throw new Error('no producer here');
    },
    admin: () =>
      ({
        connect: () => Promise.resolve(),
        disconnect: () => Promise.resolve(),
        listTopics: () => Promise.resolve(['in', 'other', '__consumer_offsets']),
        fetchOffsets: () => Promise.resolve([{ topic: 'in', partitions: this.committed }]),
        fetchTopicOffsets: () =>
          Promise.resolve([0, 1].map((partition) => ({ partition, offset: this.ends.high, ...this.ends }))),
        fetchTopicOffsetsByTimestamp: () =>
          Promise.resolve([0, 1].map((partition) => ({ partition, offset: '42' }))),
      }) as never,
  };

  private readonly consumer = {
    events: {
      GROUP_JOIN: 'join',
      REBALANCING: 'rebalancing',
      REQUEST: 'request',
      HEARTBEAT: 'heartbeat',
      END_BATCH_PROCESS: 'end',
      CRASH: 'crash',
    },
    on: (name: string, listener: Listener) => {
      this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    },
    connect: () => Promise.resolve(),
    disconnect: () => {
      this.disconnects += 1;
      return Promise.resolve();
    },
    subscribe: () => Promise.resolve(),
    run: (config: ConsumerRunConfig) => {
      this.run = config;
      return Promise.resolve();
    },
    seek: (to: { topic: string; partition: number; offset: string }) => {
      this.seeks.push(to);
      this.sought.add(`${to.topic}-${to.partition}`);
    },
    pause: ([one]: { topic: string; partitions: number[] }[]) =>
      this.paused.add(`${one!.topic}-${one!.partitions[0]}`),
    resume: ([one]: { topic: string; partitions: number[] }[]) =>
      this.paused.delete(`${one!.topic}-${one!.partitions[0]}`),
    commitOffsets: (points: { offset: string; metadata?: string }[]) => this.commit(points),
  };

  get runs(): boolean {
    return this.run !== undefined;
  }

  tell(event: string, payload: unknown = {}): void {
    for (const listener of this.listeners.get(event) ?? []) listener({ payload });
  }

  /** kafkajs joins: asks the assigner, and has this part. Throws what the assigner throws. */
  join(partitions: readonly number[] = [0]): void {
    this.askToJoin();
    this.sought.clear();
    this.tell('join', { memberId: 'me', memberAssignment: { in: [...partitions] } });
  }

  /** What kafkajs does right before each JoinGroup. */
  askToJoin(): void {
    const [make] = this.config!.partitionAssigners!;
    make!({
      cluster: { findTopicPartitionMetadata: () => [] },
      groupId: 'g',
      logger: {},
    } as never).protocol({ topics: ['in'] });
  }

  /** A fetch at `from`; resolves or rejects as the handler does. */
  fetch(from: number, offsets: readonly number[], partition = 0, highWatermark = 100): Promise<void> {
    const messages = offsets.map((offset) => message(offset));
    const payload: EachBatchPayload = {
      batch: {
        topic: 'in',
        partition,
        highWatermark: `${highWatermark}`,
        messages,
        fetchedOffset: `${from}`,
        isEmpty: () => messages.length === 0,
        firstOffset: () => messages[0]?.offset ?? null,
        lastOffset: () => messages.at(-1)!.offset,
      } as never,
      resolveOffset: (offset) => void this.resolved.push(offset),
      heartbeat: () => this.heartbeat(),
      pause: () => () => undefined,
      commitOffsetsIfNecessary: (points?: Offsets) =>
        this.commit(points!.topics.flatMap(({ partitions }) => partitions)),
      uncommittedOffsets: () => ({ topics: [] }),
      isRunning: () => true,
      isStale: () => this.sought.has(`in-${partition}`),
    };
    return this.run!.eachBatch!(payload);
  }

  /** The seeks are behind the next fetch. */
  passSeeks(): void {
    this.sought.clear();
  }

  private heartbeat(): Promise<void> {
    this.heartbeats += 1;
    if (this.heartbeatError !== undefined) return Promise.reject(this.heartbeatError);
    this.tell('heartbeat');
    return Promise.resolve();
  }

  private commit(points: readonly { offset: string; metadata?: string }[]): Promise<void> {
    if (this.commitError !== undefined) return Promise.reject(this.commitError);
    this.commits.push(...points);
    return Promise.resolve();
  }
}
