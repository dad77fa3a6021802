// Asks for topics until nobody wants to know any more: one refresh at a time, at once for a new question, with a backoff for the same again.

import { KafkaError } from '../../errors.ts';
import { delay } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { backoffMs } from '../cluster/retry.ts';
import type { ProducerContext } from './context.ts';

/** Collects the topics whose metadata is missing or stale. */
export class MetadataRequests {
  private readonly cluster: Cluster;
  private readonly context: ProducerContext;
  private readonly stop: AbortSignal;
  private readonly onRefreshed: (error: KafkaError | undefined) => void;
  private readonly wanted = new Set<string>();
  private running = false;

  /** `onRefreshed` may want topics again. */
  constructor(
    cluster: Cluster,
    context: ProducerContext,
    stop: AbortSignal,
    onRefreshed: (error: KafkaError | undefined) => void,
  ) {
    this.cluster = cluster;
    this.context = context;
    this.stop = stop;
    this.onRefreshed = onRefreshed;
  }

  want(topic: string): void {
    this.wanted.add(topic);
    if (this.running) return;
    this.running = true;
    // Later, so that topics wanted in the same turn share a request.
    queueMicrotask(() => {
      this.run().catch((error: unknown) => {
        if (!this.stop.aborted) this.context.report(error);
      });
    });
  }

  private async run(): Promise<void> {
    const { settings, clock, random } = this.context;
    try {
      for (let attempt = 1; this.wanted.size > 0 && !this.stop.aborted; attempt += 1) {
        const topics = [...this.wanted];
        this.wanted.clear();
        this.onRefreshed(await this.refresh(topics));
        if (this.wanted.size > 0)
          await delay(
            clock,
            backoffMs(attempt, settings.retryBackoffMs, settings.retryBackoffMaxMs, random),
            this.stop,
          );
      }
    } finally {
      this.running = false;
    }
  }

  private async refresh(topics: readonly string[]): Promise<KafkaError | undefined> {
    try {
      await this.cluster.refresh(topics, this.stop);
      this.context.trouble = undefined;
      return undefined;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.context.trouble = error;
      return error;
    }
  }
}
