// Next offsets of partitions that a program keeps by itself, in a group's log.

import { UsageError, type KafkaError } from '../../errors.ts';
import type { Timer } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { commitsOf, resolvePositions } from '../consumer/positions.ts';
import type { Generation } from '../group/committer.ts';
import { OffsetCommitter } from '../group/offset-committer.ts';
import { asKafkaError } from '../group/unexpected.ts';
import { sharedAbort } from '../shared-abort.ts';
import { ManagedPartition, type MarkedRecord } from './managed-partition.ts';
import { OffsetCommits } from './offset-commits.ts';
import type { OffsetStash, StashedOffset } from './offset-stash.ts';
import { resolveOffsetLimits, type OffsetManagerLimits, type OffsetManagerOptions } from './options.ts';

/**
 * Keeps the next offset and the metadata string of partitions for a group, beside any way of reading them: marked forward, reset backward,
 * committed at an interval, on demand and at the end. A group that has live members takes commits of its members only (`member`).
 */
export class OffsetManager {
  readonly groupId: string;
  private readonly cluster: Cluster;
  private readonly options: OffsetManagerOptions;
  private readonly limits: OffsetManagerLimits;
  private readonly commits: OffsetCommits;
  private readonly topics = new Map<string, (ManagedPartition | undefined)[]>();
  private readonly opening = new Set<string>();
  private readonly stopping = sharedAbort();
  private timer: Timer | undefined;
  private closing: Promise<void> | undefined;

  /** Throws UsageError when an option breaks a rule. */
  constructor(cluster: Cluster, options: OffsetManagerOptions) {
    this.limits = resolveOffsetLimits(options);
    this.groupId = options.groupId;
    this.cluster = cluster;
    this.options = options;
    this.commits = new OffsetCommits({
      clock: cluster.clock,
      committer: options.committer ?? new OffsetCommitter(cluster),
      commitTimeoutMs: this.limits.commitTimeoutMs,
      generation: () => this.generation(),
      partitions: () => this.partitions,
      onCommitted: (points) => options.onCommitted?.(points),
    });
  }

  /** Every partition that is managed. */
  get partitions(): readonly ManagedPartition[] {
    return [...this.topics.values()].flat().filter((managed) => managed !== undefined);
  }

  /** A partition that is managed. */
  partition(topic: string, partition: number): ManagedPartition | undefined {
    return this.topics.get(topic)?.[partition];
  }

  /**
   * Looks up what the group committed for a partition, else the initial position, and keeps its next offset from then on. Rejects with UsageError
   * for one that is managed already, and with coded errors at the client's deadline.
   */
  async manage(topic: string, partition: number): Promise<ManagedPartition> {
    const [managed] = await this.manageAll(topic, [partition]);
    return managed!;
  }

  /** As `manage`, for several partitions of a topic in as few requests. */
  async manageAll(topic: string, partitions: readonly number[]): Promise<ManagedPartition[]> {
    this.checkOpen();
    const names = partitions.map((partition) => `${topic}-${partition}`);
    const doubled = names.find(
      (name, at) =>
        this.opening.has(name) ||
        names.indexOf(name) !== at ||
        this.partition(topic, partitions[at]!) !== undefined,
    );
    if (doubled !== undefined)
      throw new UsageError(`${doubled} is managed already: its next offset has one keeper`, 'partition');
    for (const name of names) this.opening.add(name);
    try {
      const found = await this.find(topic, partitions);
      this.checkOpen();
      const rows = this.topics.get(topic) ?? [];
      this.topics.set(topic, rows);
      for (const managed of found) rows[managed.partition] = managed;
      if (this.autoCommits) this.timer ??= this.commitLater();
      return found;
    } finally {
      for (const name of names) this.opening.delete(name);
    }
  }

  /** Commits what is marked of a partition and manages it no longer. Rejects as `commit`, and goes on managing it, when that fails. */
  async release(topic: string, partition: number): Promise<void> {
    const managed = this.known(topic, partition);
    // A commit that nobody answered may still arrive, and take back what was committed since.
    if (managed.needsCommit(this.cluster.clock.now())) await this.commit();
    managed.end();
    this.topics.get(topic)![partition] = undefined;
  }

  /** Marks one past the record, as `ManagedPartition.markMessage`. Throws UsageError for a record of a partition that is not managed. */
  markMessage(record: MarkedRecord, metadata?: string): boolean {
    return this.known(record.topic, record.partition).markMessage(record, metadata);
  }

  /** Marks everything in the stash, forward only; one commit takes all of it. Throws UsageError, and marks nothing, for an unmanaged partition. */
  markOffsets(stash: OffsetStash): void {
    for (const [managed, { offset, metadata, leaderEpoch }] of this.stashed(stash))
      managed.markNextOffset(offset, metadata, leaderEpoch);
  }

  /** Resets everything in the stash, backward only. Throws UsageError, and resets nothing, for an unmanaged partition. */
  resetOffsets(stash: OffsetStash): void {
    for (const [managed, { offset, metadata }] of this.stashed(stash)) managed.resetOffset(offset, metadata);
  }

  /**
   * Commits what is marked or reset now, in one request, and resolves when it is in the group's log. Rejects with an OffsetCommitError that names
   * the partitions for which it is not; what it could not commit stays marked.
   */
  commit(): Promise<void> {
    return this.commits.commit();
  }

  /**
   * Stops the interval, commits what is marked (unless `autoCommit` is false: then it is dropped), repeating that `closeRetries` times at most, and
   * rejects as `commit` when it did not succeed. Marks change nothing from now on. A second call joins the first.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private get autoCommits(): boolean {
    return this.options.autoCommit !== false;
  }

  private async end(): Promise<void> {
    this.timer?.cancel();
    this.stopping.abort(this.closed());
    for (const managed of this.partitions) managed.end();
    if (this.autoCommits) await this.commits.commit(this.limits.closeRetries);
  }

  private async find(topic: string, partitions: readonly number[]): Promise<ManagedPartition[]> {
    const { cluster, groupId } = this;
    const { initial = 'earliest', isolationLevel } = this.options;
    const options = { isolationLevel, signal: this.stopping.signal };
    const commits = await commitsOf(cluster, groupId, topic, partitions, options);
    const without = partitions.filter((partition) => !commits.has(partition));
    const starts = await resolvePositions(cluster, topic, without, initial, options);
    return partitions.map((partition) => {
      const commit = commits.get(partition);
      const start = commit ?? starts.find((one) => one.partition === partition)!;
      return new ManagedPartition({ ...start, topic, partition }, commit !== undefined);
    });
  }

  private commitLater(): Timer {
    return this.cluster.clock.setTimeout(() => {
      this.timer = this.commitLater();
      if (this.commits.isUnderWay) return;
      this.commits.commit().catch((error: unknown) => this.warn(asKafkaError(error)));
    }, this.limits.commitIntervalMs);
  }

  private warn(error: KafkaError): void {
    const { onCommitFailed } = this.options;
    if (onCommitFailed === undefined) process.emitWarning(error.message, 'SluiceWarning');
    else onCommitFailed(error);
  }

  private generation(): Generation {
    const { groupId } = this;
    const { memberId = '', generation = -1, groupInstanceId = null } = this.options.member ?? {};
    return { groupId, memberId, groupInstanceId, generationId: generation };
  }

  private stashed(stash: OffsetStash): (readonly [ManagedPartition, StashedOffset])[] {
    return Array.from(stash, (one) => [this.known(one.topic, one.partition), one] as const);
  }

  private known(topic: string, partition: number): ManagedPartition {
    const managed = this.partition(topic, partition);
    if (managed !== undefined) return managed;
    throw new UsageError(`${topic}-${partition} is not managed: manage() it before`, 'partition');
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw this.closed();
  }

  private closed(): UsageError {
    return new UsageError(`The offset manager of group ${this.groupId} is closed`);
  }
}
