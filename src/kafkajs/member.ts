// A consumer of kafkajs as a member of its group: what it tells, when it may join again, and what may be committed.
//
// kafkajs asks nobody before it joins a group again: it has an event for it, and does not wait for those who listen. What it waits for is its own retries.
// Right before each JoinGroup it asks the assigner for its protocol, and an assigner that throws a rebalance-in-progress error there makes it try again
// a little later. So a join is put off until the claims are drained and committed, with heartbeats that keep the session meanwhile.

import type { Consumer, EachBatchPayload, Offsets, PartitionAssigner } from 'kafkajs';
import { delay, type Clock } from '../core/clock.ts';
import type { Assignment } from '../core/group/assignors/assignor.ts';
import type { Generation, OffsetPoint } from '../core/group/committer.ts';
import type { MemberState } from '../core/group/membership-table.ts';
import { Session } from '../core/group/session.ts';
import { BrokerError, type KafkaError } from '../errors.ts';
import { watched } from './assigners.ts';
import { asKafkaError, isRebalancing } from './errors.ts';

/** What a member tells the group around it. */
export interface KafkajsMemberHost {
  /** Claims of the present generation are open. */
  readonly isHolding: boolean;
  onJoined(assignment: Assignment): void;
  /** Gives up all claims in order; resolves when they are over. */
  onRevoke(): Promise<void>;
  /** The generation is gone, and every claim with it. */
  onLost(cause: KafkaError): void;
  /** It is over; `onLost` was called before. */
  onFailed(cause: KafkaError): void;
  onBatch(payload: EachBatchPayload): Promise<void>;
  /** kafkajs passed over a fetch that had nothing for anybody. */
  onPassed(topic: string, partition: number, from: number, after: number): void;
}

/** What is needed to be one. */
export interface KafkajsMemberSettings {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Resolved before the first join. */
  topics(): Promise<string[]>;
  readonly fromBeginning: boolean;
  /** Makes the consumer, with these assigners. */
  consumer(watch: (make: PartitionAssigner) => PartitionAssigner): Consumer;
}

/** The calls of kafkajs's runner, which outlive the batch that they came with. */
type Runner = Pick<EachBatchPayload, 'heartbeat' | 'commitOffsetsIfNecessary'>;

/** Heartbeat of Kafka's protocol. */
const HEARTBEAT_API = 12;
/** Batches that kafkajs hands over at a time. None of them takes long: what has no room is parked. */
const CONCURRENT_PARTITIONS = 64;

const LEAVE_TIMEOUT_MS = 5_000;

/** What kafkajs takes for a rebalance, and tries again. */
class JoinPutOff extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS';
  readonly retriable = true;
}

/** One member; used once. */
export class KafkajsMember {
  memberId = '';
  /** Counts the joins: kafkajs does not tell the generation it is in. */
  joins = 0;
  state: MemberState = 'unjoined';
  readonly consumer: Consumer;
  private readonly clock: Clock;
  private readonly settings: KafkajsMemberSettings;
  private readonly host: KafkajsMemberHost;
  private readonly session: Session;
  private readonly stopping = new AbortController();
  private runner: Runner | undefined;
  private running: Promise<void> = Promise.resolve();
  private heartbeatSentMs: number | undefined;
  private assignment: Assignment = new Map();
  /** The claims were lost though the group may still count on us. */
  private isStranded = false;
  private revoking: Promise<void> | undefined;
  private beating: AbortController | undefined;

  constructor(clock: Clock, settings: KafkajsMemberSettings, host: KafkajsMemberHost) {
    this.clock = clock;
    this.settings = settings;
    this.host = host;
    this.consumer = settings.consumer((make) => watched(make, () => this.beforeJoin()));
    this.session = new Session(clock, settings.sessionTimeoutMs, () => this.expired());
    this.listen();
  }

  start(): void {
    this.running = this.run().catch((error: unknown) =>
      this.fail(asKafkaError(error, `Group ${this.settings.groupId}`)),
    );
  }

  /** Whose commits may go out; undefined when the generation is gone, or about to be. */
  current(): Generation | undefined {
    const owns = this.state === 'stable' || this.state === 'revoking' || this.state === 'leaving';
    if (!owns || this.joins === 0 || this.isStranded || this.session.check()) return undefined;
    return {
      groupId: this.settings.groupId,
      memberId: this.memberId,
      groupInstanceId: null,
      generationId: this.joins,
    };
  }

  checkSession(): boolean {
    return this.session.check();
  }

  /** Once, with the generation that kafkajs is in; refused when that is not `generation` any more. Rejects with errors of ours. */
  async commit(points: readonly OffsetPoint[], generation: Generation): Promise<void> {
    if (this.current()?.generationId !== generation.generationId)
      throw new BrokerError('ILLEGAL_GENERATION', 'The member has no generation to commit with', {
        retriable: false,
        api: 'OffsetCommit',
      });
    try {
      // kafkajs's own commitOffsets() tries again by itself, in whatever generation it is by then.
      if (this.runner !== undefined) await this.runner.commitOffsetsIfNecessary(byTopic(points));
      else
        await this.consumer.commitOffsets(
          points.map(({ topic, partition, offset, metadata }) => ({
            topic,
            partition,
            offset: String(offset),
            metadata,
          })),
        );
    } catch (error) {
      throw asKafkaError(error, 'OffsetCommit');
    }
  }

  /** kafkajs goes on at `offset`. */
  seek(topic: string, partition: number, offset: number): void {
    if (this.runs) this.consumer.seek({ topic, partition, offset: String(offset) });
  }

  park(topic: string, partition: number): void {
    if (this.runs) this.consumer.pause([{ topic, partitions: [partition] }]);
  }

  unpark(topic: string, partition: number): void {
    if (this.runs) this.consumer.resume([{ topic, partitions: [partition] }]);
  }

  /** The claims are drained for good. */
  beginLeaving(): void {
    this.state = this.state === 'failed' ? 'failed' : 'leaving';
    this.stopping.abort();
  }

  /** Leaves the group, as well as that goes. Never rejects. */
  async leave(): Promise<void> {
    this.session.unwatch();
    this.beating?.abort();
    // A consumer that is stopped while it joins for the first time goes on by itself.
    await this.unlessLate(this.running);
    if (this.state !== 'failed') this.state = 'left';
    await this.unlessLate(this.consumer.disconnect().catch(() => undefined));
  }

  private async unlessLate(promise: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const late = delay(this.clock, LEAVE_TIMEOUT_MS, over.signal).catch(() => undefined);
    await Promise.race([promise, late]);
    over.abort();
  }

  fail(cause: KafkaError): void {
    if (this.state === 'failed' || this.state === 'left') return;
    this.state = 'failed';
    this.session.unwatch();
    this.host.onLost(cause);
    this.host.onFailed(cause);
  }

  /** The group rebalances: claims are given up before kafkajs joins it again. Resolves when they are. */
  rebalance(): Promise<void> {
    if (this.state === 'stable') this.state = 'revoking';
    this.keepSession();
    this.revoking ??= this.host.onRevoke().finally(() => {
      this.revoking = undefined;
    });
    return this.revoking;
  }

  /** Waits within a batch, with the heartbeats that kafkajs makes only between batches. Rejects when the group is to be joined again. */
  async hold(until: Promise<unknown>, payload: EachBatchPayload): Promise<void> {
    const over = new AbortController();
    const done = until.then(
      () => over.abort(),
      () => over.abort(),
    );
    while (!over.signal.aborted) {
      const pause = delay(this.clock, this.settings.heartbeatIntervalMs, over.signal).catch(() => undefined);
      await Promise.race([done, pause]);
      if (over.signal.aborted) return;
      try {
        await payload.heartbeat();
      } catch (error) {
        // kafkajs hears of it when this batch is over, and what is claimed should be so before.
        if (isRebalancing(error)) await this.refusedHeartbeat(error);
        throw error;
      }
    }
  }

  /** What an error of a commit or a heartbeat means for the member. */
  refused(error: KafkaError): void {
    if (!(error instanceof BrokerError)) return;
    switch (error.errorName) {
      case 'REBALANCE_IN_PROGRESS':
      case 'NOT_COORDINATOR':
        if (this.state === 'stable') void this.rebalance();
        break;
      case 'ILLEGAL_GENERATION':
      case 'UNKNOWN_MEMBER_ID':
      case 'FENCED_INSTANCE_ID':
        this.lose(error);
    }
  }

  private get runs(): boolean {
    return this.joins > 0 && this.state !== 'unjoined' && this.state !== 'left' && this.state !== 'failed';
  }

  private async run(): Promise<void> {
    const { consumer, settings } = this;
    await consumer.connect();
    const topics = await settings.topics();
    if (this.stopping.signal.aborted) return;
    await consumer.subscribe({ topics, fromBeginning: settings.fromBeginning });
    if (this.stopping.signal.aborted) return;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => {
        this.runner = payload;
        return this.host.onBatch(payload);
      },
    });
  }

  private listen(): void {
    const { consumer } = this;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => this.joined(payload));
    consumer.on(events.REBALANCING, () => void this.rebalance());
    consumer.on(events.REQUEST, ({ payload }) => {
      if (payload.apiKey === HEARTBEAT_API) this.heartbeatSentMs = this.clock.now() - payload.duration;
    });
    consumer.on(events.HEARTBEAT, () => this.beat());
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, firstOffset, lastOffset } = payload;
      if (batchSize === 0)
        this.host.onPassed(topic, partition, Number(firstOffset ?? lastOffset), Number(lastOffset) + 1);
    });
    consumer.on(events.CRASH, ({ payload }) => this.crashed(payload.error, payload.restart));
  }

  private joined(payload: { memberId: string; memberAssignment: Record<string, number[]> }): void {
    this.beating?.abort();
    if (this.state === 'left' || this.state === 'failed') {
      void this.consumer.disconnect().catch(() => undefined);
      return;
    }
    // The gate is closed while anything is claimed; a kafkajs that joins all the same has a new generation, and the claims are of an old one.
    if (this.host.isHolding) this.host.onLost(rejoined());
    this.joins += 1;
    this.memberId = payload.memberId;
    this.isStranded = false;
    if (this.state !== 'leaving') this.state = 'stable';
    this.session.restart(this.clock.now());
    this.session.watch();
    this.assignment = new Map(Object.entries(payload.memberAssignment));
    if (this.state === 'stable') this.host.onJoined(this.assignment);
  }

  private beat(): void {
    this.session.renew(this.heartbeatSentMs ?? this.clock.now());
    if (!this.isStranded || this.state !== 'stable') return;
    // We gave the claims up for lost, and the group did not: they begin anew.
    this.isStranded = false;
    this.session.watch();
    this.host.onJoined(this.assignment);
  }

  private crashed(error: Error, restarts: boolean): void {
    this.runner = undefined;
    if (this.state === 'left' || this.state === 'failed') {
      // It starts again by itself, right after this.
      if (restarts) this.clock.defer(() => void this.consumer.disconnect().catch(() => undefined));
      return;
    }
    const cause = asKafkaError(error, `Group ${this.settings.groupId}`);
    if (!restarts) {
      this.fail(cause);
      return;
    }
    this.session.unwatch();
    if (this.state !== 'leaving') this.state = 'unjoined';
    this.host.onLost(cause);
  }

  private expired(): void {
    const { sessionTimeoutMs } = this.settings;
    this.lose(
      new BrokerError('UNKNOWN_MEMBER_ID', `No heartbeat was answered within ${sessionTimeoutMs} ms`, {
        retriable: false,
        api: 'Heartbeat',
      }),
    );
  }

  private lose(cause: KafkaError): void {
    this.isStranded = true;
    this.session.unwatch();
    this.host.onLost(cause);
  }

  /** Called right before each JoinGroup. */
  private beforeJoin(): void {
    if (this.host.isHolding) {
      void this.rebalance();
      throw new JoinPutOff('The claims are drained and committed first');
    }
    if (this.state !== 'leaving') this.state = 'joining';
    this.session.unwatch();
    this.beating?.abort();
  }

  /** While claims are drained, kafkajs's own loop stands still. */
  private keepSession(): void {
    if (this.beating !== undefined && !this.beating.signal.aborted) return;
    const beating = new AbortController();
    this.beating = beating;
    void this.beatUntil(beating.signal);
  }

  private async beatUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.runner !== undefined) {
      await delay(this.clock, this.settings.heartbeatIntervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.runner.heartbeat();
      } catch (error) {
        if (!signal.aborted) this.heardRefusal(error);
      }
    }
  }

  private async refusedHeartbeat(error: unknown): Promise<void> {
    this.heardRefusal(error);
    await this.revoking;
  }

  private heardRefusal(cause: unknown): void {
    const error = asKafkaError(cause, 'Heartbeat');
    // The coordinator counts it as a heartbeat all the same.
    if (error instanceof BrokerError && error.errorName === 'REBALANCE_IN_PROGRESS')
      this.session.renew(this.heartbeatSentMs ?? this.clock.now());
    this.refused(error);
  }
}

function rejoined(): KafkaError {
  return new BrokerError(
    'REBALANCE_IN_PROGRESS',
    'kafkajs joined the group again before the claims were drained',
    {
      retriable: true,
      api: 'JoinGroup',
    },
  );
}

function byTopic(points: readonly OffsetPoint[]): Offsets {
  const topics = new Map<string, { partition: number; offset: string; metadata: string }[]>();
  for (const { topic, partition, offset, metadata } of points) {
    const some = topics.get(topic) ?? [];
    some.push({ partition, offset: String(offset), metadata });
    topics.set(topic, some);
  }
  return { topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })) };
}
