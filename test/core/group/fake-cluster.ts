// One broker behind the `Cluster` interface in simulated time: every answer is scripted by the test, every request is kept.

import type { Cluster, SendOptions, Use } from '../../../src/core/cluster/cluster.ts';
import type { MetadataCache, TopicMetadata } from '../../../src/core/cluster/metadata.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../../../src/core/protocol/api.ts';
import { Reader } from '../../../src/core/protocol/reader.ts';
import { ZERO_UUID } from '../../../src/core/protocol/schema.ts';
import { Writer } from '../../../src/core/protocol/writer.ts';
import { ConnectionError, TimeoutError } from '../../../src/errors.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

/** A request as the broker got it. */
export interface Sent {
  readonly atMs: number;
  readonly api: string;
  readonly use: Use;
  readonly version: number;
  readonly body: any;
}

/** An answer (encoded and decoded as on the wire), an error, or a promise of one. */
type Handler = (body: any, sent: Sent) => unknown;

const LATENCY_MS = 2;

export class FakeCluster implements Cluster {
  readonly clock: VirtualClock;
  readonly random = (): number => 0.5;
  readonly clientId = 'test';
  readonly closed = false;
  readonly closing = new AbortController().signal;
  readonly requestTimeoutMs = 30_000;
  readonly retry = { deadlineMs: 20_000, minDelayMs: 100, maxDelayMs: 1000, retries: Infinity };
  readonly sent: Sent[] = [];
  readonly handlers = new Map<string, Handler>();
  /** Highest version spoken, by API. */
  readonly limits = new Map<string, number>();
  /** How often the coordinator was forgotten. */
  forgotten = 0;
  refreshes = 0;
  coordinatorError: KafkaError | undefined;
  private readonly known = new Map<string, TopicMetadata>();
  private readonly listeners = new Set<() => void>();

  constructor(clock = new VirtualClock()) {
    this.clock = clock;
  }

  readonly metadata: MetadataCache = {
    topic: (name) => this.known.get(name),
    topicById: () => undefined,
    topics: () => this.known.values(),
    leader: () => ({ nodeId: 1, leaderEpoch: 0 }),
    onChange: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
    rack: () => undefined,
    updateLeader: () => {},
  };

  on(api: string, handler: Handler): void {
    this.handlers.set(api, handler);
  }

  /** Answers one request of this API with `answer`, then goes on as before. */
  once(api: string, answer: Handler): void {
    const before = this.handlers.get(api)!;
    this.on(api, (body, sent) => {
      this.on(api, before);
      return answer(body, sent);
    });
  }

  requests(api: string): Sent[] {
    return this.sent.filter((one) => one.api === api);
  }

  /** The cluster's truth changes, and so does what the client knows of it. */
  setTopic(name: string, partitions: number, errorCode = 0): void {
    this.known.set(name, {
      name,
      id: ZERO_UUID,
      errorCode,
      isInternal: name.startsWith('__'),
      partitions: Array.from({ length: partitions }, (_, index) => ({
        index,
        errorCode: 0,
        leader: { nodeId: 1, leaderEpoch: 0 },
        replicas: [1],
        isr: [1],
      })),
    });
    for (const listener of this.listeners) listener();
  }

  async send<A extends AnyApi>(
    _nodeId: number,
    api: A,
    request: RequestOf<A> | ((version: number) => RequestOf<A>),
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    const version = Math.min(
      api.maxVersion,
      options.maxVersion ?? Infinity,
      this.limits.get(api.name) ?? Infinity,
    );
    const body = typeof request === 'function' ? (request as (version: number) => unknown)(version) : request;
    const read = roundTrip(api.request, body, version);
    const sent = {
      atMs: this.clock.now(),
      api: api.name,
      use: options.use ?? 'control',
      version,
      body: read,
    } satisfies Sent;
    this.sent.push(sent);
    const answer = this.answer(api, version, sent);
    return this.limited(answer, api.name, options);
  }

  private async answer(api: AnyApi, version: number, sent: Sent): Promise<any> {
    const handler = this.handlers.get(api.name);
    if (handler === undefined) throw new Error(`the test scripts no answer of ${api.name}`);
    await this.sleep(LATENCY_MS);
    const answer = await handler(sent.body, sent);
    if (answer instanceof Error) throw answer;
    return roundTrip(api.response, answer, version);
  }

  private limited<T>(answer: Promise<T>, what: string, options: SendOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const afterMs = options.timeoutMs ?? this.requestTimeoutMs;
      const timer = this.clock.setTimeout(
        () => reject(new TimeoutError(`${what} timed out`, { afterMs, sent: true })),
        afterMs,
      );
      const onAbort = (): void => {
        timer.cancel();
        reject(options.signal?.reason);
      };
      options.signal?.addEventListener('abort', onAbort);
      void answer.then(resolve, reject).finally(() => {
        timer.cancel();
        options.signal?.removeEventListener('abort', onAbort);
      });
    });
  }

  nodeIds(): number[] {
    return [1];
  }

  async negotiated(_nodeId: number, api: AnyApi): Promise<number> {
    return api.maxVersion;
  }

  async anyNode(): Promise<number> {
    return 1;
  }

  async controller(): Promise<number> {
    return 1;
  }

  async coordinator(): Promise<number> {
    await this.sleep(LATENCY_MS);
    if (this.coordinatorError !== undefined) throw this.coordinatorError;
    return 1;
  }

  forgetTopics(): void {}

  forgetCoordinator(): void {
    this.forgotten += 1;
  }

  async refresh(): Promise<void> {
    this.refreshes += 1;
    await this.sleep(LATENCY_MS);
  }

  async close(): Promise<void> {}

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }
}

export function connectionLost(): ConnectionError {
  return new ConnectionError('the connection was reset', { host: 'broker', port: 9092, phase: 'io' });
}

function roundTrip(codec: AnyApi['request'], value: unknown, version: number): any {
  const writer = new Writer();
  codec.encode(writer, value, version);
  return codec.decode(new Reader(writer.finish()), version);
}
