// The cluster over connections: which brokers there are, how to reach them, and what they are asked.

import type { Clock, Random } from '../clock.ts';
import { ConnectionError, UsageError } from '../../errors.ts';
import type { CallOptions, RequestInit } from '../network/connection.ts';
import { Connection } from '../network/connection.ts';
import type { BrokerAddress, Transport } from '../network/transport.ts';
import type { ClusterOptions } from '../options.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import type { BrokerOptions } from './broker.ts';
import { Broker } from './broker.ts';
import type { Cluster, CoordinatorKind, RefreshOptions, RetryDefaults, SendOptions } from './cluster.ts';
import { Coordinators } from './coordinators.ts';
import { firstOf } from './first-of.ts';
import { MetadataRefresher } from './metadata-refresher.ts';
import type { MetadataResponse } from './metadata-store.ts';
import { MetadataStore } from './metadata-store.ts';
import { brokerError } from './retry.ts';
import { shuffled } from './shuffled.ts';

/** What the cluster runs on. */
export interface ClusterRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}

/** How long a broker may keep silent on a question that any other could answer before another is asked too. */
const HEAD_START_MS = 2000;

const CONNECTED = 0;
const UNTRIED = 1;
const SUSPECT = 2;

type MetadataRequest = RequestOf<typeof metadataApi>;
type Candidate = { readonly nodeId: number } | { readonly seed: BrokerAddress };

/** {@link Cluster} over a transport. Makes no connection before the first call. */
export class RemoteCluster implements Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly retry: RetryDefaults;
  readonly metadata: MetadataStore;
  private readonly options: ClusterOptions;
  private readonly connectionOptions: Omit<BrokerOptions, 'address'>;
  private readonly brokers = new Map<number, Broker>();
  private readonly refresher: MetadataRefresher;
  private readonly coordinators: Coordinators;
  private readonly shutdown = new AbortController();

  constructor(options: ClusterOptions, { clock, random, transport }: ClusterRuntime) {
    this.options = options;
    this.clock = clock;
    this.random = random;
    this.clientId = options.clientId;
    this.requestTimeoutMs = options.requestTimeoutMs;
    this.retry = {
      deadlineMs: options.apiTimeoutMs,
      minDelayMs: options.retryMinDelayMs,
      maxDelayMs: options.retryMaxDelayMs,
      retries: options.retries,
    };
    this.connectionOptions = {
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
    };
    this.metadata = new MetadataStore();
    this.refresher = new MetadataRefresher(
      this.metadata,
      {
        clock,
        random,
        maxAgeMs: options.metadataMaxAgeMs,
        minDelayMs: options.retryMinDelayMs,
        maxDelayMs: options.metadataMaxAgeMs,
      },
      (request) => this.askForMetadata(request),
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
      return this.broker(nodeId)
        .link(options.use ?? 'control')
        .send(api, request, this.callOptions(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async negotiated(nodeId: number, api: AnyApi): Promise<number> {
    this.assertOpen();
    const broker = this.broker(nodeId);
    const connection =
      broker.anyReady() ?? (await broker.link('control').connect(api.name, this.callOptions({})));
    return connection.version(api);
  }

  nodeIds(): readonly number[] {
    return [...this.metadata.nodes.keys()];
  }

  async anyNode(): Promise<number> {
    this.assertOpen();
    let nodeId = this.pickNode();
    if (nodeId === undefined) {
      await this.refresh([]);
      nodeId = this.pickNode() ?? this.metadata.nodes.keys().next().value;
    }
    if (nodeId === undefined) throw this.unreachable('The cluster names no brokers', undefined, true);
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

  async refresh(topics?: readonly string[], signal?: AbortSignal, options?: RefreshOptions): Promise<void> {
    this.assertOpen();
    const mayCreate = this.options.allowAutoTopicCreation && options?.allowAutoTopicCreation !== false;
    return this.refresher.refresh(topics, mayCreate, signal);
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    const reason = 'was closed by the client';
    this.shutdown.abort(
      new ConnectionError('The client was closed', { host: '', port: 0, phase: 'io', retriable: false }),
    );
    this.refresher.close();
    for (const broker of this.brokers.values()) broker.close(reason);
    this.brokers.clear();
    return Promise.resolve();
  }

  private callOptions({ timeoutMs, signal, maxVersion }: SendOptions): CallOptions {
    return { timeoutMs: timeoutMs ?? this.requestTimeoutMs, signal, maxVersion };
  }

  private assertOpen(): void {
    if (this.closed) throw new UsageError('The client is closed; make a new Kafka object to go on');
  }

  /** The broker of that id at its newest address. */
  private broker(nodeId: number): Broker {
    const address = this.metadata.nodes.get(nodeId);
    const known = this.brokers.get(nodeId);
    if (known !== undefined) {
      // One that metadata no longer names is still good while it is connected.
      const moved = address !== undefined && !sameAddress(address, known.address);
      if (!moved && (address !== undefined || known.anyReady() !== undefined)) return known;
      this.brokers.delete(nodeId);
      known.close(moved ? `is now at ${address.host}:${address.port}` : 'left the cluster');
    }
    if (address === undefined)
      throw this.unreachable(`Broker ${nodeId} is not in the cluster's metadata`, undefined, true);
    const broker = new Broker(nodeId, { ...this.connectionOptions, address });
    this.brokers.set(nodeId, broker);
    return broker;
  }

  /** The best broker to ask anything, if there is one that is not suspect. */
  private pickNode(): number | undefined {
    const best = this.nodesByHope()[0];
    return best === undefined || this.rank(best) === SUSPECT ? undefined : best;
  }

  /** The known brokers: connected ones, then untried ones, then those that failed or owe an answer; each of these in random order. */
  private nodesByHope(): number[] {
    return shuffled([...this.metadata.nodes.keys()], this.random).sort((a, b) => this.rank(a) - this.rank(b));
  }

  private rank(nodeId: number): number {
    const broker = this.brokers.get(nodeId);
    if (broker === undefined) return UNTRIED;
    const silentMs = broker.silentMs;
    if (silentMs === undefined) return broker.failing ? SUSPECT : UNTRIED;
    return silentMs < HEAD_START_MS ? CONNECTED : SUSPECT;
  }

  /**
   * Asks the known brokers, connected ones first, and then the seeds. Each attempt ends after `connectionTimeout` and `requestTimeout`; one that
   * keeps silent does not hold up the others.
   */
  private async askForMetadata(request: MetadataRequest): Promise<MetadataResponse> {
    const { seeds, connectionTimeoutMs } = this.options;
    if (seeds.length === 0) {
      throw new UsageError(
        "brokers is empty: name at least one broker of the cluster as 'host:port'",
        'brokers',
      );
    }
    const candidates = this.candidates();
    const staggerMs = Math.min(HEAD_START_MS, connectionTimeoutMs / candidates.length);
    const opened = new Set<Connection>();
    try {
      const { response, connection } = await firstOf(
        this.clock,
        candidates,
        staggerMs,
        (candidate, attempt) => this.askCandidate(candidate, request, attempt, opened),
        this.closing,
      );
      if (connection !== undefined && this.adopt(connection, response)) opened.delete(connection);
      return response;
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      throw this.unreachable(`None of ${candidates.length} brokers could be used`, error, false);
    } finally {
      for (const connection of opened) connection.close();
    }
  }

  private async askCandidate(
    candidate: Candidate,
    request: MetadataRequest,
    signal: AbortSignal,
    opened: Set<Connection>,
  ): Promise<{ response: MetadataResponse; connection?: Connection }> {
    if ('nodeId' in candidate) {
      return { response: usable(await this.send(candidate.nodeId, metadataApi, request, { signal })) };
    }
    const connection = await Connection.open({ ...this.connectionOptions, address: candidate.seed }, signal);
    opened.add(connection);
    try {
      const response = await connection.send(metadataApi, request, this.callOptions({ signal }));
      return { response: usable(response), connection };
    } catch (error) {
      opened.delete(connection);
      connection.close();
      throw error;
    }
  }

  private candidates(): Candidate[] {
    const { nodes } = this.metadata;
    const nodeIds = this.nodesByHope();
    const addresses = [...nodes.values()];
    const seeds = this.options.seeds.filter((seed) => !addresses.some((known) => sameAddress(known, seed)));
    return [
      ...nodeIds.map((nodeId) => ({ nodeId })),
      ...shuffled(seeds, this.random).map((seed) => ({ seed })),
    ];
  }

  /** The connection a seed was asked on is the first one to that broker, if the cluster knows it by the same address. */
  private adopt(connection: Connection, { brokers }: MetadataResponse): boolean {
    const row = brokers.find((broker) => sameAddress(broker, connection.address));
    if (row === undefined || this.closed) return false;
    this.metadata.learnNode(row.nodeId, row.host, row.port);
    return this.broker(row.nodeId).link('control').adopt(connection);
  }

  private unreachable(what: string, causes: AggregateError | undefined, retriable: boolean): ConnectionError {
    const errors: readonly unknown[] = causes?.errors ?? [];
    const first = errors.find((error) => error instanceof ConnectionError);
    const { host, port } = first ?? this.options.seeds[0] ?? { host: '', port: 0 };
    const list = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
    return new ConnectionError(list === '' ? what : `${what}: ${list}`, {
      host,
      port,
      phase: first?.phase ?? 'dial',
      cause: causes,
      retriable: retriable || errors.some((error) => !(error instanceof ConnectionError) || error.retriable),
    });
  }
}

function sameAddress(a: BrokerAddress, b: BrokerAddress): boolean {
  return a.host === b.host && a.port === b.port;
}

/** An answer that can be used; a broker that is only starting names no brokers, one that was cut off asks to start from the seeds again. */
function usable(response: MetadataResponse): MetadataResponse {
  if (response.errorCode !== 0) throw brokerError(response.errorCode, { api: metadataApi.name });
  if (response.brokers.length === 0) {
    throw brokerError(ERRORS.LEADER_NOT_AVAILABLE, {
      api: metadataApi.name,
      detail: 'the broker names no brokers yet',
    });
  }
  return response;
}
