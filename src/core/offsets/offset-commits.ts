// Commits of what is marked, one at a time.

import { ConnectionError, OffsetCommitError, TimeoutError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../group/committer.ts';
import { asKafkaError } from '../group/unexpected.ts';
import type { ManagedPartition, ManagedState } from './managed-partition.ts';

/** How late a commit that had no answer may still arrive on the old connection; as long as a request of Java's client may take. */
const DOUBT_MS = 30_000;

/** What the commits need of the manager around them. */
export interface CommitsHost {
  readonly clock: Clock;
  readonly committer: Committer;
  readonly commitTimeoutMs: number;
  generation(): Generation;
  partitions(): Iterable<ManagedPartition>;
  onCommitted(points: readonly OffsetPoint[]): void;
}

interface Pending extends ManagedState {
  readonly managed: ManagedPartition;
}

/** Sends everything that is dirty in one commit; what is marked meanwhile goes with the next one. */
export class OffsetCommits {
  private readonly host: CommitsHost;
  private underWay: Promise<void> | undefined;

  constructor(host: CommitsHost) {
    this.host = host;
  }

  get isUnderWay(): boolean {
    return this.underWay !== undefined;
  }

  /**
   * Resolves when everything that is marked at the call is in the group's log. Rejects with an OffsetCommitError when not all of it is, after
   * `retries` repetitions or the commit timeout.
   */
  async commit(retries?: number): Promise<void> {
    while (this.underWay !== undefined) await this.underWay.catch(() => undefined);
    const pending = this.pending();
    if (pending.size === 0) return;
    const underWay = this.send(pending, retries).finally(() => {
      this.underWay = undefined;
    });
    this.underWay = underWay;
    await underWay;
  }

  private pending(): Map<string, Pending> {
    const nowMs = this.host.clock.now();
    const pending = new Map<string, Pending>();
    for (const managed of this.host.partitions()) {
      if (managed.needsCommit(nowMs)) pending.set(keyOf(managed), { managed, ...managed.state() });
    }
    return pending;
  }

  private async send(pending: Map<string, Pending>, retries: number | undefined): Promise<void> {
    const { host } = this;
    const generation = host.generation();
    const points = Array.from(pending.values(), ({ point }) => point);
    const doubt = (): void => {
      const untilMs = host.clock.now() + DOUBT_MS;
      for (const { managed } of pending.values()) managed.doubtfulUntilMs = untilMs;
    };
    const onAccepted = (accepted: readonly OffsetPoint[]): void => {
      for (const point of accepted) {
        const one = pending.get(keyOf(point));
        one?.managed.committed(one);
        pending.delete(keyOf(point));
      }
      host.onCommitted(accepted);
    };
    const options: CommitOptions = {
      deadlineMs: host.commitTimeoutMs,
      retries,
      onUnanswered: doubt,
      onAccepted,
    };
    try {
      await host.committer.commit(points, generation, options);
    } catch (cause) {
      const error = asKafkaError(cause);
      if (error instanceof TimeoutError || error instanceof ConnectionError) doubt();
      const failed = Array.from(pending.values(), ({ point }) => point);
      throw new OffsetCommitError(generation.groupId, failed, error);
    }
    // A committer of somebody else's need not tell of parts.
    if (pending.size > 0) onAccepted(Array.from(pending.values(), ({ point }) => point));
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}
