// A member of a consumer group: claims come and go, each is read under a credit gate, what is settled is committed.

import { KafkaError, UsageError } from '../../errors.ts';
import { delay } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Fetcher } from '../consumer/fetcher.ts';
import { isBrokenPeer } from '../network/broken-peer.ts';
import { sharedAbort } from '../shared-abort.ts';
import type { Assignment } from './assignors/assignor.ts';
import { rangeAssignor } from './assignors/range.ts';
import type { GroupClaim } from './claim.ts';
import { CommitSchedule } from './commit-schedule.ts';
import { summarize, type DrainSummary, type GroupListener, type RebalanceEvent } from './listener.ts';
import { Membership } from './membership.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { resolveGroupTimes, type GroupConsumerOptions, type GroupTimes } from './options.ts';
import { OwnedPartition } from './owned-partition.ts';
import type { RecordGroup } from './record-group.ts';
import { ClaimStarts, type ClaimStart } from './starts.ts';
import { Subscription } from './subscription.ts';
import { asKafkaError } from './unexpected.ts';

const RETRY_PAUSE_MS = 1_000;

/** All claims being given up at once. */
interface GivingUp {
  /** Ends the waiting for what is in flight. */
  readonly hurry: AbortController;
  readonly done: Promise<KafkaError | undefined>;
}

/** One member of one group; used once. */
export class GroupConsumer implements RecordGroup {
  readonly groupId: string;
  private readonly cluster: Cluster;
  private readonly options: GroupConsumerOptions;
  private readonly times: GroupTimes;
  private readonly listener: GroupListener;
  private readonly fetcher: Fetcher;
  private readonly membership: Membership;
  private readonly subscription: Subscription;
  private readonly starts: ClaimStarts;
  private readonly schedule: CommitSchedule;
  private readonly epochs = new Map<string, number>();
  private assigned: Assignment = new Map();
  /** The partitions claimed last; those that are over stay for the summary. */
  private owned: readonly OwnedPartition[] = [];
  private opening: AbortController | undefined;
  private givingUp: GivingUp | undefined;
  private started = false;
  private stopped: Promise<DrainSummary> | undefined;
  private failure: KafkaError | undefined;

  /** Throws UsageError when an option breaks a rule. */
  constructor(cluster: Cluster, options: GroupConsumerOptions, listener: GroupListener) {
    const times = resolveGroupTimes(options);
    const { groupId, topics, from = 'earliest', isolationLevel } = options;
    this.groupId = groupId;
    this.cluster = cluster;
    this.options = options;
    this.times = times;
    this.listener = listener;
    this.fetcher = new Fetcher(cluster, options);
    this.starts = new ClaimStarts(cluster, { groupId, from, isolationLevel });
    this.subscription = new Subscription(cluster, topics, times.metadataMaxAgeMs, (what) =>
      this.membership.requestRejoin(what),
    );
    this.membership = new Membership(
      cluster,
      {
        ...times,
        groupId,
        groupInstanceId: options.groupInstanceId ?? null,
        assignors: options.assignors ?? [rangeAssignor],
      },
      {
        topics: (signal) => this.topics(signal),
        onDivided: (counts) => this.subscription.watch(counts),
        onAssigned: (assignment) => this.open(assignment),
        onRevoke: () => this.revoke(),
        onLost: (cause) => this.loseAll(cause),
        onFailed: (cause) => void this.failed(cause),
      },
    );
    this.schedule = new CommitSchedule(
      cluster.clock,
      options.committer ?? new OffsetCommitter(cluster),
      times,
      {
        current: () => this.membership.current(),
        refused: (error, generationId) => this.membership.refused('commit', error, generationId),
        onCommitted: (points) => listener.onCommitted?.(points),
        onCommitFailed: (error) => listener.onCommitFailed?.(error),
      },
    );
  }

  /** -1 while the member has none. */
  get generation(): number {
    return this.membership.generationId;
  }

  /** '' while the member has none. */
  get memberId(): string {
    return this.membership.memberId;
  }

  /** What the group assigned to this member last; empty while it has none. */
  get assignment(): Assignment {
    return this.assigned;
  }

  /** The claims that are open now, or being given up. */
  get claims(): readonly GroupClaim[] {
    return this.owned.filter((partition) => !partition.isOver).map(({ claim }) => claim);
  }

  /** Joins the group in the background; what comes of it, failure included, goes to the listener. */
  start(): void {
    if (this.started || this.stopped !== undefined) {
      throw new UsageError(
        `The consumer of group ${this.groupId} was started or stopped already; make a new one`,
      );
    }
    this.started = true;
    this.membership.start();
  }

  /**
   * Commits every claim's commit point now, before interval or count ask for it. Rejects when they are not in the group's log within the commit
   * timeout, or the generation is gone; what is still claimed goes with the next commit.
   */
  async commit(): Promise<void> {
    const error = await this.schedule.flush();
    if (error !== undefined) throw error;
  }

  /**
   * Closes all gates, waits up to `timeoutMs` for what is in flight, commits every claim's commit point, leaves the group. What is unsettled
   * then is for the next owner. A second call, and one after `onFailed`, answers with the same summary.
   */
  drain(timeoutMs: number): Promise<DrainSummary> {
    this.stopped ??= this.stop('it is drained', timeoutMs);
    return this.stopped;
  }

  /** As `drain` without waiting: claims are lost at once, what was settled up to now is committed, the group is left. */
  abort(reason: unknown): Promise<DrainSummary> {
    this.givingUp?.hurry.abort();
    this.stopped ??= this.stop(
      `it is aborted: ${reason instanceof Error ? reason.message : String(reason)}`,
      0,
    );
    return this.stopped;
  }

  private async topics(signal: AbortSignal): Promise<readonly string[]> {
    const topics = await this.subscription.resolve(signal);
    await this.starts.observe(topics, signal);
    return topics;
  }

  private open(assignment: Assignment): void {
    this.assigned = assignment;
    this.owned = [];
    const opening = sharedAbort();
    this.opening = opening;
    this.openClaims(assignment, opening.signal).catch((error: unknown) => {
      if (!opening.signal.aborted) this.membership.fail(asKafkaError(error));
    });
  }

  private async openClaims(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const starts = await this.findStarts(assignment, signal);
    const toCommit = starts.filter(({ mustCommit }) => mustCommit);
    if (toCommit.length > 0) {
      // A refusal that no retry helps ends the membership or its generation, and the opening with it.
      while ((await this.schedule.commitPoints(toCommit)) !== undefined) {
        await delay(this.cluster.clock, RETRY_PAUSE_MS, signal);
      }
    }
    signal.throwIfAborted();
    this.owned = starts.map((start) => this.claim(start));
    for (const partition of this.owned) {
      if (partition.isOver || signal.aborted) continue;
      this.tell('claimed', partition);
      this.listener.onClaim(partition.claim);
    }
    if (!signal.aborted) this.listener.onAssigned?.();
  }

  private claim(start: ClaimStart): OwnedPartition {
    const { topic, partition, offset, leaderEpoch, metadata } = start;
    const key = `${topic}-${partition}`;
    const claimEpoch = (this.epochs.get(key) ?? 0) + 1;
    this.epochs.set(key, claimEpoch);
    const reader = this.fetcher.open({
      topic,
      partition,
      startOffset: offset,
      startLeaderEpoch: leaderEpoch,
      commitMetadata: metadata,
      claimEpoch,
      credit: this.options.credit,
    });
    reader.onSettledAny = (records) => this.schedule.settled(records);
    const owned = new OwnedPartition(reader, start.committed || start.mustCommit ? offset : undefined, {
      clock: this.cluster.clock,
      checkSession: () => this.membership.checkSession(),
      onClaim: (claim) => {
        this.epochs.set(key, claim.claimEpoch);
        this.listener.onClaim(claim);
      },
    });
    this.schedule.add(owned);
    return owned;
  }

  private async findStarts(assignment: Assignment, signal: AbortSignal): Promise<ClaimStart[]> {
    for (;;) {
      try {
        return await this.starts.find(assignment, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof KafkaError) || !error.retriable || isBrokenPeer(error)) throw error;
        await delay(this.cluster.clock, RETRY_PAUSE_MS, signal);
      }
    }
  }

  private async revoke(): Promise<void> {
    this.opening?.abort();
    await this.giveUp('the group rebalances', this.times.drainTimeoutMs, true).done;
    this.assigned = new Map();
    if (this.stopped === undefined) this.owned = [];
  }

  /** Single flight. `toGroup` says that the group takes the partitions away: what is not settled in time is then never committed. */
  private giveUp(reason: string, timeoutMs: number, toGroup: boolean): GivingUp {
    if (this.givingUp !== undefined) {
      this.hurryAfter(timeoutMs, this.givingUp);
      return this.givingUp;
    }
    const hurry = sharedAbort();
    const done = this.drainAll(reason, timeoutMs, toGroup, hurry).finally(() => {
      this.givingUp = undefined;
    });
    this.givingUp = { hurry, done };
    return this.givingUp;
  }

  private hurryAfter(timeoutMs: number, { hurry, done }: GivingUp): void {
    const timer = this.cluster.clock.setTimeout(() => hurry.abort(), timeoutMs);
    void done.finally(() => timer.cancel());
  }

  private async drainAll(
    reason: string,
    timeoutMs: number,
    toGroup: boolean,
    hurry: AbortController,
  ): Promise<KafkaError | undefined> {
    const partitions = this.owned.filter(({ isOver }) => !isOver);
    for (const partition of partitions) partition.closeGate();
    if (timeoutMs > 0) for (const partition of partitions) partition.revoke(reason);
    else hurry.abort();
    const timer = this.cluster.clock.setTimeout(() => hurry.abort(), timeoutMs);
    const waits = partitions.map(async (partition) => {
      if ((await partition.whenDrained(hurry.signal)) || partition.isOver) return;
      partition.lose(
        timeoutMs > 0 ? `${reason}, and not all was settled within ${timeoutMs} ms` : reason,
        toGroup,
      );
      if (toGroup) this.schedule.remove(partition);
      this.tell('lost', partition);
    });
    await Promise.all(waits);
    timer.cancel();
    const error = await this.schedule.flush();
    for (const partition of partitions) {
      this.schedule.remove(partition);
      if (partition.isOver) continue;
      partition.release();
      this.tell('released', partition);
    }
    return error;
  }

  private loseAll(cause: KafkaError): void {
    this.opening?.abort();
    this.schedule.abandon();
    this.assigned = new Map();
    for (const partition of this.owned) {
      this.schedule.remove(partition);
      if (partition.isOver) continue;
      partition.lose(cause.message, true, cause);
      this.tell('lost', partition);
    }
    this.givingUp?.hurry.abort();
    // What was lost before anybody asked for an end is the next owner's business, and no part of the summary.
    if (this.stopped === undefined) this.owned = [];
  }

  private async failed(cause: KafkaError): Promise<void> {
    this.failure = cause;
    const draining = this.stopped !== undefined;
    await this.drain(0);
    if (!draining) this.listener.onFailed(cause);
  }

  private async stop(reason: string, timeoutMs: number): Promise<DrainSummary> {
    this.subscription.stop();
    this.opening?.abort();
    this.membership.beginLeaving();
    const error = await this.giveUp(reason, timeoutMs, false).done;
    await this.membership.leave(reason);
    this.fetcher.close();
    const partitions = this.owned.map((partition) => partition.summary());
    return summarize(partitions, this.failure ?? error);
  }

  private tell(kind: RebalanceEvent['kind'], { claim }: OwnedPartition): void {
    const { topic, partition, claimEpoch } = claim;
    this.listener.onRebalance({ kind, topic, partition, claimEpoch });
  }
}
