// Keeps asking for metadata while a reader has no broker to ask.

import type { Timer } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { backoffMs } from '../cluster/retry.ts';
import { NO_CREATION } from './defaults.ts';

/** The backoff starts over when nothing was wrong for this many of the longest delays. */
const CALM_DELAYS = 2;

/** Refreshes the metadata of topics that something is wrong with: at once, then with backoff until nobody asks for it any more. */
export class LeaderWatch {
  private readonly cluster: Cluster;
  /** Called after each refresh, successful or not; asks again for what is still wrong. */
  private readonly onRefreshed: () => void;
  private topics = new Set<string>();
  private timer: Timer | undefined;
  private running = false;
  private attempts = 0;
  private refreshedAtMs = -Infinity;
  private closed = false;

  constructor(cluster: Cluster, onRefreshed: () => void) {
    this.cluster = cluster;
    this.onRefreshed = onRefreshed;
  }

  /** Something is wrong with what is known of `topic`. */
  ask(topic: string): void {
    this.topics.add(topic);
    this.schedule();
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private schedule(): void {
    if (this.running || this.timer !== undefined || this.closed) return;
    const { clock, random, retry } = this.cluster;
    if (clock.now() - this.refreshedAtMs > CALM_DELAYS * retry.maxDelayMs) this.attempts = 0;
    const waitMs =
      this.attempts === 0 ? 0 : backoffMs(this.attempts, retry.minDelayMs, retry.maxDelayMs, random);
    this.timer = clock.setTimeout(() => {
      this.timer = undefined;
      void this.refresh();
    }, waitMs);
  }

  private async refresh(): Promise<void> {
    const topics = [...this.topics];
    this.topics = new Set();
    this.running = true;
    this.attempts += 1;
    try {
      await this.cluster.refresh(topics, undefined, NO_CREATION);
    } catch {
      for (const topic of topics) this.topics.add(topic);
    }
    this.running = false;
    this.refreshedAtMs = this.cluster.clock.now();
    if (this.closed) return;
    this.onRefreshed();
    if (this.topics.size > 0) this.schedule();
  }
}
