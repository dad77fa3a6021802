// Where metadata comes from: the brokers that are known, then the seeds.

import { AuthenticationError, BrokerError, ConnectionError, TimeoutError, UsageError } from '../../errors.ts';
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
import type { Seeds } from './seeds.ts';

type MetadataRequest = RequestOf<typeof metadataApi>;
type Candidate = { readonly nodeId: number } | { readonly seed: BrokerAddress };

/** What asking needs. */
export interface SourceOptions {
  readonly seeds: Seeds;
  readonly requestTimeoutMs: number;
  /** The hard deadline of one question, whatever the brokers do. */
  readonly timeoutMs: number;
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
   * keeps silent does not hold up the others. Rejects with a ConnectionError that names each broker and its cause, at `metadataTimeout` with a
   * TimeoutError that does. Brokers that say so (KIP-1102) are forgotten, and the seeds asked on new connections.
   */
  async ask(request: MetadataRequest): Promise<MetadataResponse> {
    const { seeds, timeoutMs, closing } = this.options;
    if (seeds.isEmpty) {
      throw new UsageError(
        "brokers is empty: name at least one broker of the cluster as 'host:port'",
        'brokers',
      );
    }
    const errors: unknown[] = [];
    const limit = new AbortController();
    const onClosing = (): void => {
      limit.abort(closing.reason);
    };
    const timer = this.pool.clock.setTimeout(() => {
      limit.abort(lateError(timeoutMs, errors));
    }, timeoutMs);
    if (closing.aborted) onClosing();
    else closing.addEventListener('abort', onClosing, { once: true });
    try {
      try {
        return await this.askOne(request, limit.signal, errors);
      } catch (error) {
        if (limit.signal.aborted || !errors.some(wantsRebootstrap)) throw error;
        this.pool.close('asked its clients to start again from their seeds');
        this.store.forgetNodes();
        return await this.askOne(request, limit.signal, errors);
      }
    } finally {
      timer.cancel();
      closing.removeEventListener('abort', onClosing);
    }
  }

  private async askOne(
    request: MetadataRequest,
    signal: AbortSignal,
    errors: unknown[],
  ): Promise<MetadataResponse> {
    const candidates = await this.candidates();
    signal.throwIfAborted();
    const { connectTimeoutMs } = this.pool.options;
    const staggerMs = Math.min(HEAD_START_MS, connectTimeoutMs / candidates.length);
    const opened = new Set<Connection>();
    try {
      const { response, connection } = await firstOf(
        this.pool.clock,
        candidates,
        staggerMs,
        async (candidate, attempt) => {
          try {
            return await this.askCandidate(candidate, request, attempt, opened);
          } catch (error) {
            if (!attempt.aborted) errors.push(error);
            throw error;
          }
        },
        signal,
      );
      if (connection !== undefined && this.adopt(connection, response)) opened.delete(connection);
      return response;
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      throw this.unreachable(candidates, error);
    } finally {
      for (const connection of opened) connection.close();
    }
  }

  private async candidates(): Promise<Candidate[]> {
    const known = [...this.store.nodes.values()];
    const inOrder = await this.options.seeds.inOrder();
    const seeds = inOrder.filter((seed) => !known.some((address) => sameAddress(address, seed)));
    return [...this.pool.byHope().map((nodeId) => ({ nodeId })), ...seeds.map((seed) => ({ seed }))];
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
    const { seeds } = this.options;
    try {
      const connection = await Connection.open({ ...this.pool.options, address: candidate.seed }, signal);
      opened.add(connection);
      try {
        const response = usable(await connection.send(metadataApi, request, options));
        seeds.worked(candidate.seed);
        return { response, connection };
      } catch (error) {
        opened.delete(connection);
        connection.close();
        throw error;
      }
    } catch (error) {
      // One that was asked in vain because another was faster has not failed.
      if (!signal.aborted) seeds.failed(candidate.seed);
      throw error;
    }
  }

  /** The connection a seed was asked on is the first one to that broker, if the cluster knows it by the same address. */
  private adopt(connection: Connection, { brokers }: MetadataResponse): boolean {
    const row = brokers.find((broker) => sameAddress(broker, connection.address));
    if (row === undefined || this.options.closing.aborted) return false;
    this.store.learnNode(row.nodeId, row.host, row.port);
    connection.trace.nodeId = row.nodeId;
    return this.pool.broker(row.nodeId).link('control').adopt(connection);
  }

  private unreachable(candidates: readonly Candidate[], cause: AggregateError): ConnectionError {
    const errors: readonly unknown[] = cause.errors;
    const first = errors.find((error) => error instanceof ConnectionError);
    const seed = candidates.find((candidate) => 'seed' in candidate)?.seed;
    const { host, port } = first ?? seed ?? { host: '', port: 0 };
    const hint = first?.phase === 'dial' ? '; are they running, and are these the right addresses?' : '';
    const message = `None of ${candidates.length} brokers could be used: ${listed(errors)}${hint}`;
    const retriable = errors.some((error) => !(error instanceof ConnectionError) || error.retriable);
    const at = { host, port, phase: first?.phase ?? 'dial', cause, retriable };
    const isRefused = errors.every((error) => error instanceof AuthenticationError);
    return isRefused ? new AuthenticationError(message, at) : new ConnectionError(message, at);
  }
}

function listed(errors: readonly unknown[]): string {
  return errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
}

function lateError(timeoutMs: number, errors: readonly unknown[]): TimeoutError {
  const why = errors.length === 0 ? 'no broker answered' : listed(errors);
  return new TimeoutError(`There was no metadata within ${timeoutMs} ms: ${why}`, {
    afterMs: timeoutMs,
    sent: false,
    api: metadataApi.name,
    cause: errors.at(-1),
  });
}

function wantsRebootstrap(error: unknown): boolean {
  return error instanceof BrokerError && error.errorName === 'REBOOTSTRAP_REQUIRED';
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
