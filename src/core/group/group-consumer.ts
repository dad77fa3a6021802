// A member of a consumer group: claims come and go, each is read under a credit gate, what is settled is committed.

import { UsageError, type KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Fetcher } from '../consumer/fetcher.ts';
import { blockedEvents, groupEvents } from '../events/channels.ts';
import { addReadingSource, type ReadingSource } from '../events/readings.ts';
import { NO_PARTITIONS, without } from './assignment.ts';
import type { Assignment } from './assignors/assignor.ts';
import { resolveAssignors } from './assignors/named.ts';
import { ClaimOpener } from './claim-opener.ts';
import type { GroupClaim } from './claim.ts';
import { CommitSchedule } from './commit-schedule.ts';
import type { Generation } from './committer.ts';
import { ConsumerMembership } from './consumer-protocol/consumer-membership.ts';
import { EpochCommitter } from './consumer-protocol/epoch-committer.ts';
import type { GroupMembership, MembershipHost } from './group-membership.ts';
import { tellBlocked, tellClaim, type TracedMember } from './group-trace.ts';
import {
  summarize,
  type BlockedEvent,
  type DrainSummary,
  type GroupListener,
  type RebalanceEvent,
} from './listener.ts';
import { Membership } from './membership.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { resolveGroupTimes, type GroupConsumerOptions, type GroupTimes } from './options.ts';
import { OwnedPartition } from './owned-partition.ts';
import { OwnedPartitions } from './owned-partitions.ts';
import type { RecordGroup } from './record-group.ts';
import { ClaimStarts, type ClaimStart } from './starts.ts';
import { Subscription } from './subscription.ts';
import { TransactionMember } from './transaction-member.ts';
import { asKafkaError } from './unexpected.ts';

/** One member of one group; used once. */
export class GroupConsumer implements RecordGroup {
  readonly groupId: string;
  private readonly cluster: Cluster;
  private readonly options: GroupConsumerOptions;
  private readonly times: GroupTimes;
  private readonly listener: GroupListener;
  private readonly fetcher: Fetcher;
  private readonly membership: GroupMembership;
  private readonly subscription: Subscription;
  private readonly starts: ClaimStarts;
  private readonly schedule: CommitSchedule;
  private readonly epochs = new Map<string, number>();
  private readonly owned: OwnedPartitions;
  private readonly opener: ClaimOpener;
  /** Undefined unless a transaction commits the offsets (`Committer.undoes`). */
  readonly transaction: TransactionMember | undefined;
  private assigned: Assignment = NO_PARTITIONS;
  private started = false;
  private stopped: Promise<DrainSummary> | undefined;
  private failure: KafkaError | undefined;
  private readonly readings: ReadingSource = {
    read: (sink) => {
      const { cluster, groupId, owned } = this;
      sink.member({ clientId: cluster.clientId, groupId, claims: owned.live.length });
    },
  };
  private forgetReadings: () => void = () => {};

  /** Throws UsageError when an option breaks a rule. */
  constructor(cluster: Cluster, options: GroupConsumerOptions, listener: GroupListener) {
    const times = resolveGroupTimes(options);
    const { groupId, from = 'earliest', earliestTopics, isolationLevel } = options;
    this.groupId = groupId;
    this.cluster = cluster;
    this.options = options;
    this.times = times;
    this.listener = listener;
    this.fetcher = new Fetcher(cluster, options);
    const member =
      options.groupProtocol === 'consumer'
        ? (): Generation | undefined => this.membership.current()
        : undefined;
    this.starts = new ClaimStarts(cluster, { groupId, from, earliestTopics, isolationLevel, member });
    this.subscription = new Subscription(cluster, options, times.metadataMaxAgeMs, (what) =>
      this.membership.requestRejoin(what),
    );
    this.membership = this.newMembership();
    const committer = options.committer ?? new OffsetCommitter(cluster);
    this.schedule = new CommitSchedule(
      cluster.clock,
      this.membership instanceof ConsumerMembership
        ? new EpochCommitter(cluster.clock, committer, this.membership)
        : committer,
      times,
      {
        current: () => this.membership.current(),
        refused: (error, generationId) => this.membership.refused('commit', error, generationId),
        onCommitted: (points) => listener.onCommitted?.(points),
        onCommitFailed: (error) => listener.onCommitFailed?.(error),
      },
    );
    this.owned = new OwnedPartitions(cluster.clock, this.schedule, (kind, one, drainMs) =>
      this.tell(kind, one, drainMs),
    );
    this.transaction =
      options.committer?.undoes === true
        ? new TransactionMember({
            groupId,
            live: () => this.owned.live,
            current: () => this.membership.current(),
          })
        : undefined;
    this.opener = new ClaimOpener(cluster, this.starts, {
      commitPoints: (points) => this.schedule.commitPoints(points),
      onStarts: (starts, signal) => this.claimAll(starts, signal),
      onOpened: () => listener.onAssigned?.(),
      onError: (error) => this.membership.fail(asKafkaError(error)),
    });
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
    return this.owned.live.map(({ claim }) => claim);
  }

  /** Joins the group in the background; what comes of it, failure included, goes to the listener. */
  start(): void {
    if (this.started || this.stopped !== undefined) {
      throw new UsageError(
        `The consumer of group ${this.groupId} was started or stopped already; make a new one`,
      );
    }
    this.started = true;
    this.forgetReadings = addReadingSource(this.readings);
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
    this.owned.hurry();
    this.stopped ??= this.stop(
      `it is aborted: ${reason instanceof Error ? reason.message : String(reason)}`,
      0,
    );
    return this.stopped;
  }

  private newMembership(): GroupMembership {
    const { cluster, options, times } = this;
    const host: MembershipHost = {
      topics: (signal) => this.topics(signal),
      onDivided: (divided) => this.subscription.watch(divided),
      onAssigned: (assignment) => this.assign(assignment),
      onRevoke: (partitions) => this.revoke(partitions),
      onLost: (cause) => this.loseAll(cause),
      onFailed: (cause) => void this.failed(cause),
      onBlocked: (event) => this.blocked(event),
    };
    const identity = {
      ...times,
      groupId: options.groupId,
      groupInstanceId: options.groupInstanceId ?? null,
    };
    if (options.groupProtocol === 'consumer') {
      return new ConsumerMembership(
        cluster,
        {
          ...identity,
          rackId: options.rackId ?? null,
          serverAssignor: options.groupRemoteAssignor ?? null,
          // A pattern with exceptions is matched here: the broker knows no exceptions.
          pattern:
            options.topics instanceof RegExp && options.excludeTopics === undefined
              ? options.topics
              : undefined,
        },
        host,
      );
    }
    const assignors = resolveAssignors(options.assignors);
    return new Membership(cluster, { ...identity, assignors, rackId: options.rackId }, host);
  }

  private async topics(signal: AbortSignal): Promise<readonly string[]> {
    const topics = await this.subscription.resolve(signal);
    await this.starts.observe(topics, signal);
    return topics;
  }

  private assign(assignment: Assignment): void {
    this.assigned = assignment;
    const owned = new Map<string, number[]>();
    for (const { reader } of this.owned.live) {
      const some = owned.get(reader.topic);
      if (some === undefined) owned.set(reader.topic, [reader.partition]);
      else some.push(reader.partition);
    }
    this.opener.open(without(assignment, owned));
    this.schedule.resume();
  }

  private claimAll(starts: readonly ClaimStart[], signal: AbortSignal): void {
    const partitions = starts.map((start) => this.claim(start));
    this.owned.add(partitions);
    for (const partition of partitions) {
      if (partition.isOver || signal.aborted) continue;
      this.tell('claimed', partition);
      this.listener.onClaim(partition.claim);
    }
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
      undoes: this.transaction !== undefined,
      clock: this.cluster.clock,
      checkSession: () => this.membership.checkSession(),
      generation: () => this.membership.generationId,
      onClaim: (claim) => {
        this.epochs.set(key, claim.claimEpoch);
        this.listener.onClaim(claim);
      },
    });
    this.transaction?.track(owned, reader);
    return owned;
  }

  private async revoke(partitions?: Assignment): Promise<void> {
    this.opener.drop(partitions);
    const timeoutMs = this.times.drainTimeoutMs;
    await this.owned.giveUp(partitions, { reason: 'the group rebalances', timeoutMs, toGroup: true });
    this.assigned = partitions === undefined ? NO_PARTITIONS : without(this.assigned, partitions);
    this.forgetEnded();
  }

  private loseAll(cause: KafkaError): void {
    this.opener.drop();
    this.assigned = NO_PARTITIONS;
    this.owned.loseAll(cause);
    this.forgetEnded();
  }

  /** What ended before anybody asked for an end is the next owner's business, and no part of the summary. */
  private forgetEnded(): void {
    if (this.stopped === undefined) this.owned.forgetEnded();
  }

  private async failed(cause: KafkaError): Promise<void> {
    this.failure = cause;
    const draining = this.stopped !== undefined;
    await this.drain(0);
    if (!draining) this.listener.onFailed(cause);
  }

  private async stop(reason: string, timeoutMs: number): Promise<DrainSummary> {
    this.subscription.stop();
    this.opener.drop();
    this.membership.beginLeaving();
    const error = await this.owned.giveUp(undefined, { reason, timeoutMs, toGroup: false });
    await this.membership.leave(reason);
    this.forgetReadings();
    this.fetcher.close();
    return summarize(this.owned.summaries(), this.failure ?? error);
  }

  private tell(kind: RebalanceEvent['kind'], { claim }: OwnedPartition, drainMs = 0): void {
    const { topic, partition, claimEpoch } = claim;
    const event = { kind, topic, partition, claimEpoch };
    this.listener.onRebalance(event);
    if (groupEvents.hasSubscribers) tellClaim(this.cluster.clientId, this.place, event, drainMs);
  }

  private blocked(event: BlockedEvent): void {
    this.listener.onBlocked?.(event);
    if (blockedEvents.hasSubscribers) tellBlocked(this.cluster.clientId, this.place, event);
  }

  private get place(): TracedMember {
    return { groupId: this.groupId, memberId: this.memberId, generationId: this.generation };
  }
}
