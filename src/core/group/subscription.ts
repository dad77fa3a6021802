// Which topics the member subscribes to, and whether they have grown or moved since the group divided them.

import { BrokerError, TimeoutError } from '../../errors.ts';
import type { Timer } from '../clock.ts';
import { awaitTopics } from '../cluster/await-topics.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { withRetry } from '../cluster/retry.ts';
import { partitionCount, partitionRacks, type DividedTopics } from './leader.ts';

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
  private readonly onChanged: (what: string) => void;
  private joined: readonly string[] = [];
  private divided: DividedTopics | undefined;
  private seen = false;
  private timer: Timer | undefined;
  private unsubscribe: (() => void) | undefined;
  private stopped = false;

  constructor(
    cluster: Cluster,
    { topics, excludeTopics }: Wanted,
    maxAgeMs: number,
    onChanged: (what: string) => void,
  ) {
    this.cluster = cluster;
    this.isExcluded = matcherOf(excludeTopics ?? []);
    this.wanted =
      topics instanceof RegExp ? stateless(topics) : topics.filter((topic) => !this.isExcluded(topic));
    this.maxAgeMs = maxAgeMs;
    this.onChanged = onChanged;
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

  /** What the leader divided, to be compared with what the metadata says from now on; undefined on members that do not lead. */
  watch(divided: DividedTopics | undefined): void {
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

  private check(): void {
    const what = this.added() ?? this.grown() ?? this.moved();
    if (what !== undefined) this.onChanged(what);
  }

  /** Growth only: a topic that vanishes for a moment must not make the group divide twice, and one that is gone ends its claims itself. */
  private added(): string | undefined {
    const joined = new Set(this.joined);
    const added = this.names().find((name) => !joined.has(name));
    return added === undefined ? undefined : `topic ${added} matches the subscription`;
  }

  private grown(): string | undefined {
    for (const [topic, count] of this.divided?.partitionCounts ?? []) {
      const now = partitionCount(this.cluster, topic);
      if (now > count) return `topic ${topic} has ${now} partitions instead of ${count}`;
    }
    return undefined;
  }

  /** The division put members where the replicas were. */
  private moved(): string | undefined {
    for (const [topic, racks] of this.divided?.racks ?? []) {
      if (partitionCount(this.cluster, topic) < racks.length) continue;
      const now = partitionRacks(this.cluster, topic);
      const partition = racks.findIndex((before, at) => !sameSet(before, now[at]!));
      if (partition >= 0)
        return `the replicas of ${topic}-${partition} are in rack ${textOf(now[partition]!)} instead of ${textOf(racks[partition]!)}`;
    }
    return undefined;
  }

  private refreshLater(): Timer {
    return this.cluster.clock.setTimeout(() => {
      this.timer = this.refreshLater();
      // A refresh that fails is repeated after the same time; the members' own requests show what is wrong with the cluster.
      this.refresh().catch(() => {});
    }, this.maxAgeMs);
  }
}

/** Of two lists without repetition. */
function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

function textOf(racks: readonly string[]): string {
  return racks.length === 0 ? 'none' : racks.join(', ');
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
