// Where metadata comes from: the brokers that are known, then the seeds.

import { ConnectionError, UsageError } from '../../errors.ts';
import { Connection } from '../network/connection.ts';
import type { BrokerAddress } from '../network/transport.ts';
import type { RequestOf } from '../protocol/api.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { metadataApi } from '../protocol/messages/03-metadata.ts';
import type { BrokerPool } from './broker-pool.ts';
import { HEAD_START_MS } from './broker-pool.ts';
import { firstOf } from './first-of.ts';
import type { MetadataResponse, MetadataStore } from './metadata-store.ts';
import { brokerError } from './retry.ts';
import { shuffled } from './shuffled.ts';

type MetadataRequest = RequestOf<typeof metadataApi>;
type Candidate = { readonly nodeId: number } | { readonly seed: BrokerAddress };

/** What asking needs. */
export interface SourceOptions {
  readonly seeds: readonly BrokerAddress[];
  readonly requestTimeoutMs: number;
  readonly closing: AbortSignal;
}

/** Asks one broker of the cluster after another for metadata. */
export class MetadataSource {
  private readonly store: MetadataStore;
  private readonly pool: BrokerPool;
  private readonly options: SourceOptions;

  constructor(store: MetadataStore, pool: BrokerPool, options: SourceOptions) {
    this.store = store;
    this.pool = pool;
    this.options = options;
  }

  /**
   * Asks the known brokers, connected ones first, and then the seeds. Each attempt ends after `connectionTimeout` and `requestTimeout`; one that
   * keeps silent does not hold up the others. Rejects with a ConnectionError that names each broker and its cause.
   */
  async ask(request: MetadataRequest): Promise<MetadataResponse> {
    if (this.options.seeds.length === 0) {
      throw new UsageError(
        "brokers is empty: name at least one broker of the cluster as 'host:port'",
        'brokers',
      );
    }
    const candidates = this.candidates();
    const { connectTimeoutMs } = this.pool.options;
    const staggerMs = Math.min(HEAD_START_MS, connectTimeoutMs / candidates.length);
    const opened = new Set<Connection>();
    try {
      const { response, connection } = await firstOf(
        this.pool.clock,
        candidates,
        staggerMs,
        (candidate, attempt) => this.askCandidate(candidate, request, attempt, opened),
        this.options.closing,
      );
      if (connection !== undefined && this.adopt(connection, response)) opened.delete(connection);
      return response;
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      throw this.unreachable(candidates.length, error);
    } finally {
      for (const connection of opened) connection.close();
    }
  }

  private candidates(): Candidate[] {
    const known = [...this.store.nodes.values()];
    const seeds = this.options.seeds.filter((seed) => !known.some((address) => sameAddress(address, seed)));
    return [
      ...this.pool.byHope().map((nodeId) => ({ nodeId })),
      ...shuffled(seeds, this.pool.options.random).map((seed) => ({ seed })),
    ];
  }

  private async askCandidate(
    candidate: Candidate,
    request: MetadataRequest,
    signal: AbortSignal,
    opened: Set<Connection>,
  ): Promise<{ response: MetadataResponse; connection?: Connection }> {
    const options = { timeoutMs: this.options.requestTimeoutMs, signal };
    if ('nodeId' in candidate) {
      const link = this.pool.broker(candidate.nodeId).link('control');
      return { response: usable(await link.send(metadataApi, request, options)) };
    }
    const connection = await Connection.open({ ...this.pool.options, address: candidate.seed }, signal);
    opened.add(connection);
    try {
      return { response: usable(await connection.send(metadataApi, request, options)), connection };
    } catch (error) {
      opened.delete(connection);
      connection.close();
      throw error;
    }
  }

  /** The connection a seed was asked on is the first one to that broker, if the cluster knows it by the same address. */
  private adopt(connection: Connection, { brokers }: MetadataResponse): boolean {
    const row = brokers.find((broker) => sameAddress(broker, connection.address));
    if (row === undefined || this.options.closing.aborted) return false;
    this.store.learnNode(row.nodeId, row.host, row.port);
    return this.pool.broker(row.nodeId).link('control').adopt(connection);
  }

  private unreachable(count: number, cause: AggregateError): ConnectionError {
    const errors: readonly unknown[] = cause.errors;
    const first = errors.find((error) => error instanceof ConnectionError);
    const { host, port } = first ?? this.options.seeds[0]!;
    const list = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
    const hint = first?.phase === 'dial' ? '; are they running, and are these the right addresses?' : '';
    return new ConnectionError(`None of ${count} brokers could be used: ${list}${hint}`, {
      host,
      port,
      phase: first?.phase ?? 'dial',
      cause,
      retriable: errors.some((error) => !(error instanceof ConnectionError) || error.retriable),
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
