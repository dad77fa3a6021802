// The cluster over connections.

import type { Clock, Random } from '../clock.ts';
import { ConnectionError, UsageError } from '../../errors.ts';
import type { CallOptions, RequestInit } from '../network/connection.ts';
import type { Dns } from '../network/dns.ts';
import { systemDns } from '../network/dns.ts';
import type { Transport } from '../network/transport.ts';
import type { ClusterOptions } from '../options.ts';
import type { AnyApi, ResponseOf } from '../protocol/api.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import { BrokerPool } from './broker-pool.ts';
import type { Cluster, CoordinatorKind, RefreshOptions, RetryDefaults, SendOptions } from './cluster.ts';
import { Coordinators } from './coordinators.ts';
import { MetadataRefresher } from './metadata-refresher.ts';
import { MetadataSource } from './metadata-source.ts';
import { MetadataStore } from './metadata-store.ts';
import { sharedAbort } from '../shared-abort.ts';
import { brokerError } from './retry.ts';
import { canonicalSeeds } from './canonical-seeds.ts';
import { Seeds } from './seeds.ts';

/** What the cluster runs on. */
export interface ClusterRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  /** Default the operating system's. */
  readonly dns?: Dns | undefined;
}

/** {@link Cluster} over a transport. Makes no connection before the first call. */
export class RemoteCluster implements Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly retry: RetryDefaults;
  readonly metadata: MetadataStore;
  private readonly allowAutoTopicCreation: boolean;
  private readonly pool: BrokerPool;
  private readonly refresher: MetadataRefresher;
  private readonly coordinators: Coordinators;
  private readonly shutdown = sharedAbort();

  constructor(options: ClusterOptions, { clock, random, transport, dns = systemDns }: ClusterRuntime) {
    this.clock = clock;
    this.random = random;
    this.clientId = options.clientId;
    this.requestTimeoutMs = options.requestTimeoutMs;
    this.allowAutoTopicCreation = options.allowAutoTopicCreation;
    this.retry = {
      deadlineMs: options.apiTimeoutMs,
      minDelayMs: options.retryMinDelayMs,
      maxDelayMs: options.retryMaxDelayMs,
      retries: options.retries,
    };
    this.metadata = new MetadataStore();
    this.pool = new BrokerPool(this.metadata, {
      clientId: options.clientId,
      clock,
      random,
      transport,
      connectTimeoutMs: options.connectionTimeoutMs,
      stallAfterMs: options.requestTimeoutMs,
      maxFrameBytes: options.maxFrameBytes,
      reconnectMinDelayMs: options.reconnectMinDelayMs,
      reconnectMaxDelayMs: options.reconnectMaxDelayMs,
      maxIdleMs: options.maxIdleMs,
      sasl: options.sasl,
    });
    const source = new MetadataSource(this.metadata, this.pool, {
      seeds: new Seeds(options.seeds, random, options.canonicalSeeds ? canonicalSeeds(dns) : undefined),
      requestTimeoutMs: options.requestTimeoutMs,
      timeoutMs: options.metadataTimeoutMs,
      closing: this.closing,
    });
    this.refresher = new MetadataRefresher(
      this.metadata,
      {
        clientId: options.clientId,
        clock,
        random,
        maxAgeMs: options.metadataMaxAgeMs,
        minDelayMs: options.retryMinDelayMs,
        maxDelayMs: options.metadataMaxAgeMs,
      },
      (request) => source.ask(request),
    );
    this.coordinators = new Coordinators({
      clock,
      random,
      retry: this.retry,
      closing: this.closing,
      requestTimeoutMs: this.requestTimeoutMs,
      anyNode: () => this.anyNode(),
      send: (nodeId, api, request, options) => this.send(nodeId, api, request, options),
      learnNode: (nodeId, host, port) => {
        this.metadata.learnNode(nodeId, host, port);
      },
    });
  }

  get closed(): boolean {
    return this.shutdown.signal.aborted;
  }

  get closing(): AbortSignal {
    return this.shutdown.signal;
  }

  send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: RequestInit<A>,
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    try {
      this.assertOpen();
      options.signal?.throwIfAborted();
      return this.pool
        .broker(nodeId)
        .link(options.use ?? 'control')
        .send(api, request, this.callOptions(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async negotiated(nodeId: number, api: AnyApi): Promise<number> {
    this.assertOpen();
    const broker = this.pool.broker(nodeId);
    const connection =
      broker.anyReady() ?? (await broker.link('control').connect(api.name, this.callOptions({})));
    return connection.version(api);
  }

  nodeIds(): readonly number[] {
    return [...this.metadata.nodes.keys()];
  }

  async anyNode(): Promise<number> {
    this.assertOpen();
    let nodeId = this.pool.best();
    if (nodeId === undefined) {
      await this.refresh([]);
      nodeId = this.pool.best() ?? this.metadata.nodes.keys().next().value;
    }
    if (nodeId === undefined)
      throw brokerError(ERRORS.LEADER_NOT_AVAILABLE, {
        api: metadataApi.name,
        detail: 'the cluster names no brokers',
      });
    return nodeId;
  }

  async controller(): Promise<number> {
    this.assertOpen();
    if (this.metadata.controllerId < 0) await this.refresh([]);
    const { controllerId } = this.metadata;
    if (controllerId >= 0) return controllerId;
    throw brokerError(ERRORS.NOT_CONTROLLER, {
      api: metadataApi.name,
      detail: 'the cluster has no controller at the moment',
    });
  }

  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    this.assertOpen();
    return this.coordinators.find(kind, key);
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.coordinators.forget(kind, key);
  }

  forgetTopics(names: Iterable<string>): void {
    for (const name of names) this.metadata.forget(name);
  }

  async refresh(topics?: readonly string[], signal?: AbortSignal, options?: RefreshOptions): Promise<void> {
    this.assertOpen();
    const mayCreate = this.allowAutoTopicCreation && options?.allowAutoTopicCreation !== false;
    return this.refresher.refresh(topics, mayCreate, signal);
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    const reason = 'was closed by the client';
    this.shutdown.abort(
      new ConnectionError('The client was closed', { host: '', port: 0, phase: 'io', retriable: false }),
    );
    this.refresher.close();
    this.pool.close(reason);
    return Promise.resolve();
  }

  private callOptions({ timeoutMs, signal, maxVersion, isUnanswered }: SendOptions): CallOptions {
    return { timeoutMs: timeoutMs ?? this.requestTimeoutMs, signal, maxVersion, isUnanswered };
  }

  private assertOpen(): void {
    if (this.closed) throw new UsageError('The client is closed; make a new Kafka object to go on');
  }
}
