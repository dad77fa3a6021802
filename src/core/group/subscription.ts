// Which topics the member subscribes to, and whether they have grown since the group divided them.

import { BrokerError, TimeoutError } from '../../errors.ts';
import type { Timer } from '../clock.ts';
import { awaitTopics } from '../cluster/await-topics.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { withRetry } from '../cluster/retry.ts';
import { partitionCount } from './leader.ts';

/** What a member wants to read. */
export interface Wanted {
  /** Names, or a pattern. */
  readonly topics: readonly string[] | RegExp;
  /** Never, whatever `topics` says. */
  readonly excludeTopics?: readonly string[] | RegExp | undefined;
}

/** Follows the metadata of the subscribed topics. */
export class Subscription {
  private readonly cluster: Cluster;
  private readonly wanted: readonly string[] | RegExp;
  private readonly isExcluded: (topic: string) => boolean;
  private readonly maxAgeMs: number;
  private readonly onGrown: (what: string) => void;
  private joined: readonly string[] = [];
  private divided: ReadonlyMap<string, number> | undefined;
  private seen = false;
  private timer: Timer | undefined;
  private unsubscribe: (() => void) | undefined;
  private stopped = false;

  constructor(
    cluster: Cluster,
    { topics, excludeTopics }: Wanted,
    maxAgeMs: number,
    onGrown: (what: string) => void,
  ) {
    this.cluster = cluster;
    this.isExcluded = matcherOf(excludeTopics ?? []);
    this.wanted =
      topics instanceof RegExp ? stateless(topics) : topics.filter((topic) => !this.isExcluded(topic));
    this.maxAgeMs = maxAgeMs;
    this.onGrown = onGrown;
  }

  /**
   * The names to join with, sorted, from fresh metadata. The first time every topic that is named must exist: rejects with the cluster's error
   * (`UNKNOWN_TOPIC_OR_PARTITION` after 15 s, ...) at the retry deadline at the latest.
   */
  async resolve(signal: AbortSignal): Promise<readonly string[]> {
    const { deadlineMs } = this.cluster.retry;
    try {
      if (this.seen || this.wanted instanceof RegExp) {
        await withRetry(this.cluster, 'Metadata of the subscribed topics', { deadlineMs, signal }, () =>
          this.refresh(signal),
        );
      } else await awaitTopics(this.cluster, this.wanted, { deadlineMs, signal });
    } catch (error) {
      throw error instanceof TimeoutError && error.cause instanceof BrokerError ? error.cause : error;
    }
    this.seen = true;
    this.joined = this.names();
    return this.joined;
  }

  /** The leader's counts, to be compared with what the metadata says from now on; undefined on members that do not lead. */
  watch(divided: ReadonlyMap<string, number> | undefined): void {
    // A join that a leaving member waits for ends after the stop.
    if (this.stopped) return;
    this.divided = divided;
    this.unsubscribe ??= this.cluster.metadata.onChange(() => this.check());
    this.timer ??= this.refreshLater();
    this.check();
  }

  /** For good. */
  stop(): void {
    this.stopped = true;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private async refresh(signal?: AbortSignal): Promise<void> {
    await this.cluster.refresh(this.wanted instanceof RegExp ? undefined : this.wanted, signal);
  }

  private names(): readonly string[] {
    const { wanted } = this;
    if (!(wanted instanceof RegExp)) return [...wanted].sort();
    const names: string[] = [];
    for (const { name, isInternal, errorCode } of this.cluster.metadata.topics()) {
      if (!isInternal && errorCode === 0 && wanted.test(name) && !this.isExcluded(name)) names.push(name);
    }
    return names.sort();
  }

  /** Growth only: a topic that vanishes for a moment must not make the group divide twice, and one that is gone ends its claims itself. */
  private check(): void {
    const joined = new Set(this.joined);
    const added = this.names().find((name) => !joined.has(name));
    if (added !== undefined) {
      this.onGrown(`topic ${added} matches the subscription`);
      return;
    }
    for (const [topic, count] of this.divided ?? []) {
      const now = partitionCount(this.cluster, topic);
      if (now > count) {
        this.onGrown(`topic ${topic} has ${now} partitions instead of ${count}`);
        return;
      }
    }
  }

  private refreshLater(): Timer {
    return this.cluster.clock.setTimeout(() => {
      this.timer = this.refreshLater();
      // A refresh that fails is repeated after the same time; the members' own requests show what is wrong with the cluster.
      this.refresh().catch(() => {});
    }, this.maxAgeMs);
  }
}

function matcherOf(topics: readonly string[] | RegExp): (topic: string) => boolean {
  if (!(topics instanceof RegExp)) return (topic) => topics.includes(topic);
  const pattern = stateless(topics);
  return (topic) => pattern.test(topic);
}

/** Without the flags that make `test` remember where it was. */
function stateless({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace(/[gy]/g, ''));
}
