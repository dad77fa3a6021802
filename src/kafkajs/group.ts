// A group member over kafkajs, with the claims, credit and commits of this library.

import type { ConsumerConfig, EachBatchPayload, PartitionAssigner } from 'kafkajs';
import { delay, systemRandom, type Clock } from '../core/clock.ts';
import { withRetry } from '../core/cluster/retry.ts';
import { EMISSION_SLICE_MS } from '../core/consumer/defaults.ts';
import { EmissionLoop } from '../core/consumer/emission-loop.ts';
import type { Assignment } from '../core/group/assignors/assignor.ts';
import type { GroupClaim } from '../core/group/claim.ts';
import { CommitSchedule } from '../core/group/commit-schedule.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../core/group/committer.ts';
import {
  summarize,
  type DrainSummary,
  type GroupListener,
  type RebalanceEvent,
} from '../core/group/listener.ts';
import { verdictOf, type Verdict } from '../core/group/membership-table.ts';
import { resolveGroupTimes, type GroupConsumerOptions, type GroupTimes } from '../core/group/options.ts';
import { OwnedPartition } from '../core/group/owned-partition.ts';
import { OwnedPartitions } from '../core/group/owned-partitions.ts';
import type { RecordGroup } from '../core/group/record-group.ts';
import type { ClaimStart } from '../core/group/starts.ts';
import {
  BrokerError,
  ConnectionError,
  OffsetRangeError,
  TimeoutError,
  UsageError,
  type KafkaError,
} from '../errors.ts';
import { roundRobinAssigner } from './assigners.ts';
import type { KafkajsClient } from './client.ts';
import { asKafkaError } from './errors.ts';
import { consumerConfig, withGivenTimes } from './group-options.ts';
import { KafkajsMember, type KafkajsMemberHost } from './member.ts';
import { KafkajsReader, type KafkajsReaderHost } from './reader.ts';
import { KafkajsStarts } from './starts.ts';
import { topicNames } from './topics.ts';

type GivenConfig = Omit<ConsumerConfig, 'groupId' | 'retry'>;

/** How long a batch may wait for room before its partition is not fetched any more: until then it holds up its neighbours on the same broker. */
const ROOM_PATIENCE_MS = 100;
const RETRY_PAUSE_MS = 1_000;

/** One member of one group; used once. */
export class KafkajsGroup implements RecordGroup, KafkajsMemberHost, KafkajsReaderHost, Committer {
  readonly groupId: string;
  readonly clock: Clock;
  readonly loop: EmissionLoop;
  private readonly options: GroupConsumerOptions;
  private readonly times: GroupTimes;
  private readonly listener: GroupListener;
  private readonly admin: ReturnType<KafkajsClient['admin']>;
  private readonly member: KafkajsMember;
  private readonly starts: KafkajsStarts;
  private readonly schedule: CommitSchedule;
  private readonly owned: OwnedPartitions;
  private readonly epochs = new Map<string, number>();
  private readonly readers = new Map<string, KafkajsReader>();
  /** Of the present generation: until its claims are open, what is fetched waits. */
  private opening: Promise<void> | undefined;
  /** Nothing is claimed any more, for good. */
  private isDrained = false;
  private started = false;
  private stopped: Promise<DrainSummary> | undefined;
  private failure: KafkaError | undefined;

  /** Throws UsageError when an option breaks a rule. */
  constructor(
    client: KafkajsClient,
    given: GivenConfig,
    clock: Clock,
    options: GroupConsumerOptions,
    listener: GroupListener,
  ) {
    const times = resolveGroupTimes(withGivenTimes(options, given));
    const { groupId, from = 'earliest' } = options;
    this.groupId = groupId;
    this.clock = clock;
    this.loop = new EmissionLoop(clock, EMISSION_SLICE_MS);
    this.options = options;
    this.times = times;
    this.listener = listener;
    this.admin = client.admin();
    this.starts = new KafkajsStarts(this.admin, groupId, from, options.earliestTopics);
    this.member = new KafkajsMember(
      clock,
      {
        groupId,
        sessionTimeoutMs: times.sessionTimeoutMs,
        heartbeatIntervalMs: times.heartbeatIntervalMs,
        fromBeginning: from !== 'latest',
        topics: () => this.subscribe(),
        consumer: (watch) =>
          client.consumer({
            ...consumerConfig(options, times, given),
            partitionAssigners: (given.partitionAssigners ?? [roundRobinAssigner]).map(
              (assigner): PartitionAssigner => watch(assigner),
            ),
          }),
      },
      this,
    );
    this.schedule = new CommitSchedule(clock, this, times, {
      current: () => this.member.current(),
      refused: (error, generationId) => this.refused(error, generationId),
      onCommitted: (points) => listener.onCommitted?.(points),
      onCommitFailed: (error) => listener.onCommitFailed?.(error),
    });
    this.owned = new OwnedPartitions(clock, this.schedule, (kind, one) => this.tell(kind, one));
  }

  get generation(): number {
    return this.member.joins === 0 ? -1 : this.member.joins;
  }

  get memberId(): string {
    return this.member.memberId;
  }

  get claims(): readonly GroupClaim[] {
    return this.owned.live.map(({ claim }) => claim);
  }

  get isHolding(): boolean {
    return this.owned.live.length > 0;
  }

  start(): void {
    if (this.started || this.stopped !== undefined)
      throw new UsageError(
        `The consumer of group ${this.groupId} was started or stopped already; make a new one`,
      );
    this.started = true;
    this.member.start();
  }

  /** Of `RecordGroup` without arguments: every claim's commit point now. Of `Committer` with them: these points, as long as their generation lasts. */
  commit(): Promise<void>;
  commit(points: readonly OffsetPoint[], generation: Generation, options: CommitOptions): Promise<void>;
  async commit(
    points?: readonly OffsetPoint[],
    generation?: Generation,
    options?: CommitOptions,
  ): Promise<void> {
    if (points === undefined || generation === undefined || options === undefined) {
      const error = await this.schedule.flush();
      if (error !== undefined) throw error;
      return;
    }
    const { onUnanswered, ...limits } = options;
    const context = { clock: this.clock, random: systemRandom };
    await withRetry(context, `OffsetCommit of group ${this.groupId}`, limits, async () => {
      try {
        await this.member.commit(points, generation);
      } catch (error) {
        if (error instanceof TimeoutError || error instanceof ConnectionError) onUnanswered?.();
        throw error;
      }
    });
  }

  drain(timeoutMs: number): Promise<DrainSummary> {
    this.stopped ??= this.stop('it is drained', timeoutMs);
    return this.stopped;
  }

  abort(reason: unknown): Promise<DrainSummary> {
    this.owned.hurry();
    this.stopped ??= this.stop(
      `it is aborted: ${reason instanceof Error ? reason.message : String(reason)}`,
      0,
    );
    return this.stopped;
  }

  onJoined(assignment: Assignment): void {
    const opening = this.open(assignment, this.member.joins)
      .catch((error: unknown) => this.member.fail(asKafkaError(error, `Group ${this.groupId}`)))
      .finally(() => {
        if (this.opening === opening) this.opening = undefined;
      });
    this.opening = opening;
  }

  async onRevoke(): Promise<void> {
    const timeoutMs = this.times.drainTimeoutMs;
    await this.owned.giveUp(undefined, { reason: 'the group rebalances', timeoutMs, toGroup: true });
    this.forgetEnded();
  }

  onLost(cause: KafkaError): void {
    this.owned.loseAll(cause);
    this.forgetEnded();
  }

  onFailed(cause: KafkaError): void {
    void this.failed(cause);
  }

  async onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { member } = this;
    const { joins } = member;
    if (this.opening !== undefined) await member.hold(this.opening, payload);
    if (member.joins !== joins || payload.isStale()) return;
    const key = keyOf(batch.topic, batch.partition);
    const reader = this.readerOf(key);
    if (reader === undefined) {
      await member.hold(this.whenClaimed(key, joins), payload);
      return;
    }
    const at = fetchedAt(batch);
    if (at !== undefined && at !== reader.next && !reader.passes(at)) {
      await member.hold(this.recover(reader), payload);
      return;
    }
    const after = Number(batch.lastOffset()) + 1;
    reader.highWatermark = Number(batch.highWatermark);
    payload.resolveOffset(batch.messages.at(-1)!.offset);
    reader.push(batch.messages, after);
    if (!reader.hasRoom) await this.awaitRoom(reader, payload);
  }

  onPassed(topic: string, partition: number, from: number, after: number): void {
    const reader = this.readerOf(keyOf(topic, partition));
    if (reader !== undefined && from <= reader.next) reader.pass(after);
  }

  onSeek(reader: KafkajsReader): void {
    this.member.seek(reader.topic, reader.partition, reader.next);
    this.onRoom(reader);
  }

  onRoom(reader: KafkajsReader): void {
    if (!reader.isParked) return;
    reader.isParked = false;
    this.member.unpark(reader.topic, reader.partition);
  }

  private async subscribe(): Promise<string[]> {
    await this.admin.connect();
    return topicNames(this.admin, this.options);
  }

  private async open(assignment: Assignment, joins: number): Promise<void> {
    const starts = await this.findStarts(assignment, joins);
    if (starts === undefined) return;
    const isCurrent = (): boolean => this.member.joins === joins && this.member.state === 'stable';
    const toCommit = starts.filter(({ mustCommit }) => mustCommit);
    while (toCommit.length > 0 && (await this.schedule.commitPoints(toCommit)) !== undefined) {
      if (!isCurrent()) return;
      await delay(this.clock, RETRY_PAUSE_MS);
    }
    if (!isCurrent()) return;
    const partitions = starts.map((start) => this.claim(start));
    this.owned.add(partitions);
    for (const partition of partitions) {
      if (partition.isOver) continue;
      this.tell('claimed', partition);
      this.listener.onClaim(partition.claim);
    }
    this.listener.onAssigned?.();
    this.schedule.resume();
  }

  /** Undefined when the generation is over. */
  private async findStarts(assignment: Assignment, joins: number): Promise<ClaimStart[] | undefined> {
    for (;;) {
      if (this.member.joins !== joins || this.member.state !== 'stable') return undefined;
      try {
        const starts = await this.starts.find(assignment);
        if (this.member.joins === joins && this.member.state === 'stable') return starts;
      } catch (error) {
        const cause = asKafkaError(error, 'OffsetFetch');
        if (!cause.retriable) throw cause;
        await delay(this.clock, RETRY_PAUSE_MS);
      }
    }
  }

  private claim({ topic, partition, offset, metadata, committed, mustCommit }: ClaimStart): OwnedPartition {
    const key = keyOf(topic, partition);
    const claimEpoch = (this.epochs.get(key) ?? 0) + 1;
    this.epochs.set(key, claimEpoch);
    const { credit, prefetchBytes } = this.options;
    const reader = new KafkajsReader(
      { topic, partition, startOffset: offset, claimEpoch, commitMetadata: metadata, credit, prefetchBytes },
      this,
    );
    reader.onSettledAny = (records) => this.schedule.settled(records);
    this.readers.set(key, reader);
    this.member.seek(topic, partition, offset);
    return new OwnedPartition(reader, committed || mustCommit ? offset : undefined, {
      clock: this.clock,
      checkSession: () => this.member.checkSession(),
      generation: () => this.generation,
      onClaim: (claim) => {
        this.epochs.set(key, claim.claimEpoch);
        this.listener.onClaim(claim);
      },
    });
  }

  /** Undefined while the partition is not claimed, or being given up. */
  private readerOf(key: string): KafkajsReader | undefined {
    const reader = this.readers.get(key);
    return this.member.state === 'stable' && reader?.isClosed === false ? reader : undefined;
  }

  /** What is fetched while its partition is not claimed waits: kafkajs would ask for it again at once. */
  private async whenClaimed(key: string, joins: number): Promise<void> {
    while (this.member.joins === joins && !this.isDrained && this.readerOf(key) === undefined)
      await delay(this.clock, ROOM_PATIENCE_MS);
  }

  private async awaitRoom(reader: KafkajsReader, payload: EachBatchPayload): Promise<void> {
    const tooLong = new AbortController();
    const patience = delay(this.clock, ROOM_PATIENCE_MS, tooLong.signal).catch(() => undefined);
    await this.member.hold(Promise.race([reader.whenRoom(), patience]), payload);
    tooLong.abort();
    if (reader.hasRoom) return;
    reader.isParked = true;
    this.member.park(reader.topic, reader.partition);
  }

  /** kafkajs is somewhere else than the reader: it was late, or the log does not hold the position and kafkajs went on at one of its ends. */
  private async recover(reader: KafkajsReader): Promise<void> {
    const { topic, partition, next } = reader;
    const { low, high } = await this.starts.range(topic, partition);
    if (reader.isClosed || reader.next !== next) return;
    if (next >= low && next <= high) {
      reader.seekAgain();
      return;
    }
    const { outOfRange = 'fail' } = this.options;
    if (outOfRange === 'earliest' || outOfRange === 'latest') {
      reader.jump(outOfRange === 'earliest' ? low : high);
      return;
    }
    reader.isParked = true;
    this.member.park(topic, partition);
    reader.fail(
      new OffsetRangeError(
        `${topic}-${partition} holds the offsets ${low} to ${high - 1}, and ${next} is to be read next; see the option outOfRange`,
        { topic, partition, offset: next, earliest: low, latest: high },
      ),
    );
  }

  private refused(error: KafkaError, generationId: number): Verdict {
    if (generationId !== this.member.joins) return 'ignore';
    const name = error instanceof BrokerError ? error.errorName : 'CONNECTION';
    const verdict = verdictOf(this.member.state, 'commit', name, error.retriable);
    if (verdict === 'fail' && name !== 'FENCED_INSTANCE_ID') this.member.fail(error);
    else this.member.refused(error);
    return verdict;
  }

  private forgetEnded(): void {
    for (const [key, reader] of this.readers) if (reader.isClosed) this.readers.delete(key);
    if (this.stopped === undefined) this.owned.forgetEnded();
  }

  private async failed(cause: KafkaError): Promise<void> {
    this.failure = cause;
    const draining = this.stopped !== undefined;
    await this.drain(0);
    if (!draining) this.listener.onFailed(cause);
  }

  private async stop(reason: string, timeoutMs: number): Promise<DrainSummary> {
    this.member.beginLeaving();
    const error = await this.owned.giveUp(undefined, { reason, timeoutMs, toGroup: false });
    this.isDrained = true;
    await this.member.leave();
    await this.admin.disconnect().catch(() => undefined);
    return summarize(this.owned.summaries(), this.failure ?? error);
  }

  private tell(kind: RebalanceEvent['kind'], { claim }: OwnedPartition): void {
    const { topic, partition, claimEpoch } = claim;
    this.listener.onRebalance({ kind, topic, partition, claimEpoch });
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** Where kafkajs asked for it, though its types do not say so. */
function fetchedAt(batch: EachBatchPayload['batch']): number | undefined {
  const { fetchedOffset } = batch as { readonly fetchedOffset?: string };
  return fetchedOffset === undefined ? undefined : Number(fetchedOffset);
}
