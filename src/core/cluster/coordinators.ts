// Which broker coordinates which group or transactional id.

import type { Clock, Random } from '../clock.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/api.ts';
import { findCoordinatorApi } from '../protocol/messages/10-find-coordinator.ts';
import type { CoordinatorKind, RetryDefaults, SendOptions } from './cluster.ts';
import { brokerError, withRetry } from './retry.ts';

type FindCoordinator = typeof findCoordinatorApi;
type FoundCoordinator = Pick<
  ResponseOf<FindCoordinator>['coordinators'][number],
  'nodeId' | 'host' | 'port' | 'errorCode' | 'errorMessage'
>;

/** What a lookup needs of the cluster. */
export interface CoordinatorLookup {
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: RetryDefaults;
  readonly closing: AbortSignal;
  readonly requestTimeoutMs: number;
  anyNode(): Promise<number>;
  send<A extends AnyApi>(
    nodeId: number,
    api: A,
    request: (version: number) => RequestOf<A>,
    options: SendOptions,
  ): Promise<ResponseOf<A>>;
  learnNode(nodeId: number, host: string, port: number): void;
}

const KEY_TYPES = { group: 0, transaction: 1 } as const;
/** Any broker can answer, so one that takes longer is left for another. */
const ATTEMPT_MS = 10_000;
const SEVERAL_KEYS_FROM = 4;

/** The coordinators found so far. Concurrent lookups of one key are one. */
export class Coordinators {
  private readonly lookup: CoordinatorLookup;
  private readonly known = new Map<string, number>();
  private readonly asking = new Map<string, Promise<number>>();

  constructor(lookup: CoordinatorLookup) {
    this.lookup = lookup;
  }

  find(kind: CoordinatorKind, key: string): Promise<number> {
    const id = `${kind}:${key}`;
    const nodeId = this.known.get(id);
    if (nodeId !== undefined) return Promise.resolve(nodeId);
    let asking = this.asking.get(id);
    if (asking === undefined) {
      asking = this.ask(kind, key).then(
        (found) => {
          this.asking.delete(id);
          this.known.set(id, found);
          return found;
        },
        (error: unknown) => {
          this.asking.delete(id);
          throw error;
        },
      );
      this.asking.set(id, asking);
    }
    return asking;
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.known.delete(`${kind}:${key}`);
  }

  private ask(kind: CoordinatorKind, key: string): Promise<number> {
    const { retry, requestTimeoutMs } = this.lookup;
    const what = `Finding the coordinator of ${kind} ${JSON.stringify(key)}`;
    const { deadlineMs, retries } = retry;
    return withRetry(this.lookup, what, { deadlineMs, retries, backoff: retry }, async () => {
      const nodeId = await this.lookup.anyNode();
      const response = await this.lookup.send(
        nodeId,
        findCoordinatorApi,
        (version) =>
          version < SEVERAL_KEYS_FROM
            ? { key, keyType: KEY_TYPES[kind] }
            : { keyType: KEY_TYPES[kind], coordinatorKeys: [key] },
        { timeoutMs: Math.min(requestTimeoutMs, ATTEMPT_MS) },
      );
      const found: FoundCoordinator = response.coordinators.find((entry) => entry.key === key) ?? response;
      if (found.errorCode !== 0) {
        throw brokerError(found.errorCode, {
          api: findCoordinatorApi.name,
          detail: `${what}: ${found.errorMessage ?? ''}`,
        });
      }
      this.lookup.learnNode(found.nodeId, found.host, found.port);
      return found.nodeId;
    });
  }
}
