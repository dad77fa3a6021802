// The topics a reader names must exist.

import { BrokerError, TimeoutError } from '../../errors.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import type { Cluster, RefreshOptions } from './cluster.ts';
import { brokerError, withRetry } from './retry.ts';

/** How long a topic may be unknown: one that was just created shows within a second or two. */
const PATIENCE_MS = 15_000;

/** How the topics are waited for. */
export interface AwaitTopicsOptions extends RefreshOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves when the fresh metadata knows all of these topics. Rejects with the cluster's error about the first that it does not: at once where
 * nothing will change it, with `UNKNOWN_TOPIC_OR_PARTITION` after 15 s or at the deadline; with TimeoutError when nobody could be asked by then.
 */
export async function awaitTopics(
  cluster: Cluster,
  topics: readonly string[],
  options: AwaitTopicsOptions,
): Promise<void> {
  const { deadlineMs, signal, ...refresh } = options;
  const from = cluster.clock.now();
  const missing = (topic: string): BrokerError => {
    const afterMs = Math.round(cluster.clock.now() - from);
    const detail = `there is no such topic after ${afterMs} ms; create it, or check its name`;
    return brokerError(ERRORS.UNKNOWN_TOPIC_OR_PARTITION, { api: 'Metadata', topic, detail });
  };
  let unknown: string | undefined;
  let since = from;
  try {
    await withRetry(cluster, `Metadata of ${topics.join(', ')}`, { deadlineMs, signal }, async () => {
      await cluster.refresh(topics, signal, refresh);
      const before = unknown;
      unknown = undefined;
      for (const topic of topics) {
        const code = cluster.metadata.topic(topic)?.errorCode ?? ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
        if (code === 0) continue;
        const error = brokerError(code, { api: 'Metadata', topic });
        if (code !== ERRORS.UNKNOWN_TOPIC_OR_PARTITION) throw error;
        unknown = topic;
        if (before === undefined) since = cluster.clock.now();
        if (cluster.clock.now() - since >= PATIENCE_MS) throw new OutOfPatience();
        throw error;
      }
    });
  } catch (error) {
    const isMissing =
      error instanceof OutOfPatience ||
      (error instanceof TimeoutError &&
        error.cause instanceof BrokerError &&
        error.cause.errorName === 'UNKNOWN_TOPIC_OR_PARTITION');
    throw isMissing && unknown !== undefined ? missing(unknown) : error;
  }
}

class OutOfPatience extends Error {}
