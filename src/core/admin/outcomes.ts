// A call about several things at once: each has its own outcome, and only those that may still succeed are asked again.

import { KafkaError, ProtocolError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { withRetry } from '../cluster/retry.ts';

/** Limits of one call. */
export interface AdminOptions {
  /** The hard deadline of the call, retries included; default the client's `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one attempt is to do. */
export interface Attempt<I> {
  /** The items without an outcome yet. */
  readonly pending: readonly I[];
  /** Counted from 1. */
  readonly n: number;
  readonly elapsedMs: number;
  readonly remainingMs: number;
  /** For the request: what remains of the call, at most the client's `requestTimeout`. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What became of each item: its result, or an error; a retriable one makes the item be asked again. */
export type Outcomes<I, V> = ReadonlyMap<I, V | KafkaError>;

/** Retries `ask` until every item has a result or a final error; then resolves, or rejects with the error, several in an AggregateError. */
export async function settleAll<I, V extends object>(
  cluster: Cluster,
  what: string,
  items: readonly I[],
  options: AdminOptions,
  ask: (attempt: Attempt<I>) => Promise<Outcomes<I, V>>,
): Promise<V[]> {
  const results = new Map<I, V>();
  const errors: unknown[] = [];
  const startedAt = cluster.clock.now();
  let pending = items;
  const { signal, timeoutMs: deadlineMs = cluster.retry.deadlineMs } = options;
  const limits = { deadlineMs, retries: cluster.retry.retries, backoff: cluster.retry, signal };
  try {
    await withRetry(cluster, what, limits, async (n, remainingMs) => {
      if (pending.length === 0) return;
      const elapsedMs = cluster.clock.now() - startedAt;
      const timeoutMs = Math.max(1, Math.floor(Math.min(remainingMs, cluster.requestTimeoutMs)));
      const outcomes = await ask({ pending, n, elapsedMs, remainingMs, timeoutMs, signal });
      const again: I[] = [];
      let retriable: KafkaError | undefined;
      for (const item of pending) {
        const outcome =
          outcomes.get(item) ?? new ProtocolError(`${what}: the broker left out a part of its answer`);
        if (!(outcome instanceof KafkaError)) results.set(item, outcome);
        else if (outcome.retriable) {
          again.push(item);
          retriable ??= outcome;
        } else errors.push(outcome);
      }
      pending = again;
      if (retriable !== undefined) throw retriable;
    });
  } catch (error) {
    errors.push(error);
  }
  if (errors.length > 1) throw new AggregateError(errors, `${what}: ${errors.map(messageOf).join('; ')}`);
  if (errors.length === 1) throw errors[0];
  return items.map((item) => results.get(item)!);
}

/** As {@link settleAll} for a call with one answer. */
export async function settleOne<V extends object>(
  cluster: Cluster,
  what: string,
  options: AdminOptions,
  ask: (attempt: Attempt<string>) => Promise<V>,
): Promise<V> {
  const [result] = await settleAll(
    cluster,
    what,
    [what],
    options,
    async (attempt) => new Map([[what, await ask(attempt)]]),
  );
  return result!;
}

/** The same error for all of these. */
export function allFailed<I>(items: readonly I[], error: KafkaError): Map<I, KafkaError> {
  return new Map(items.map((item) => [item, error]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
