// A member of a group of the consumer protocol (KIP-848): the coordinator says what it shall own, it gives up, acknowledges and claims, and the
// claims that are not concerned never notice. What answers mean is in heartbeat-table.ts.

import { TimeoutError, UsageError, type KafkaError } from '../../../errors.ts';
import { delay } from '../../clock.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { backoffMs } from '../../cluster/retry.ts';
import { unlessLate } from '../../cluster/waiting.ts';
import { groupEvents } from '../../events/channels.ts';
import type { Assignment } from '../assignors/assignor.ts';
import type { Generation } from '../committer.ts';
import type { GroupMembership, MembershipHost } from '../group-membership.ts';
import { tellJoined } from '../group-trace.ts';
import type { BeatOutcome } from '../heartbeats.ts';
import type { MemberRequest, MemberState, Verdict } from '../membership-table.ts';
import { asKafkaError } from '../unexpected.ts';
import { Admission, type Admitted } from './admission.ts';
import { Beats } from './beats.ts';
import type { EpochSource } from './epoch-committer.ts';
import { GroupSession } from './group-session.ts';
import { SentFields, type MemberFacts } from './heartbeat-fields.ts';
import { HeartbeatRequests, type HeartbeatAnswer } from './heartbeat-requests.ts';
import { epochVerdictOf, type EpochRequest, type EpochVerdict } from './heartbeat-table.ts';
import { byName, nextStep } from './reconciliation.ts';
import { SubscribedTopics } from './subscribed-topics.ts';
import { TopicNames } from './topic-names.ts';
import { minus, OWNS_NOTHING, type IdAssignment } from './topic-partitions.ts';
import { answerName, explained } from './try-again.ts';

/** Settings of a {@link ConsumerMembership}; all times in milliseconds. */
export interface ConsumerMembershipOptions {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  /** 'uniform', 'range', or another of the broker's; null leaves it to the broker. */
  readonly serverAssignor: string | null;
  /** What is subscribed to, when that is a pattern without exceptions. */
  readonly pattern: RegExp | undefined;
}

const NO_EPOCH = -1;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/** Runs the membership of one group; used once. */
export class ConsumerMembership implements GroupMembership, EpochSource {
  state: MemberState = 'unjoined';
  /** The member epoch. */
  generationId = NO_EPOCH;
  private readonly cluster: Cluster;
  private readonly options: ConsumerMembershipOptions;
  private readonly host: MembershipHost;
  private readonly requests: HeartbeatRequests;
  private readonly topics: SubscribedTopics;
  private readonly admission: Admission;
  private readonly names: TopicNames;
  private readonly sent = new SentFields();
  private readonly beats: Beats;
  private readonly session: GroupSession;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private owned: IdAssignment = OWNS_NOTHING;
  private target: IdAssignment = OWNS_NOTHING;
  /** Counts the memberships, for answers that come late. */
  private term = 0;
  /** Rounds in which metadata was asked for the names of ids, one after another. */
  private unnamedRounds = 0;
  private hasNews = false;
  private onNews: () => void = () => {};
  private readonly epochWaiters = new Set<() => void>();

  constructor(cluster: Cluster, options: ConsumerMembershipOptions, host: MembershipHost) {
    this.cluster = cluster;
    this.options = options;
    this.host = host;
    this.requests = new HeartbeatRequests(cluster, options);
    this.topics = new SubscribedTopics(options.pattern, (signal) => host.topics(signal));
    this.admission = new Admission(cluster, options, this.requests, this.topics, {
      fields: () => this.sent.join(this.facts()),
      timeoutMs: () => this.beatTimeoutMs,
      onJoining: (isJoining) => (this.state = isJoining ? 'joining' : 'unjoined'),
    });
    this.names = new TopicNames(cluster.metadata);
    this.beats = new Beats(
      cluster.clock,
      cluster.random,
      () => this.beat(),
      (blockedMs) => this.blocked(blockedMs),
    );
    this.session = new GroupSession(cluster, options.groupId, (afterMs) => this.expire(afterMs));
  }

  get groupId(): string {
    return this.options.groupId;
  }

  get memberId(): string {
    return this.admission.memberId;
  }

  current(): Generation | undefined {
    this.session.check();
    return this.isMember ? this.generation() : undefined;
  }

  checkSession(): boolean {
    return this.session.check();
  }

  start(): void {
    this.running = this.run();
  }

  /** The topics that the pattern finds here have changed. Nobody rejoins: the next heartbeat says so, at once. */
  requestRejoin(): void {
    if (this.isMember && this.state !== 'leaving') void this.resubscribe();
  }

  refused(request: MemberRequest, error: KafkaError, generationId: number): Verdict {
    if (generationId !== this.generationId || request === 'sync' || request === 'join') return 'ignore';
    return VERDICTS[this.act(request, error)];
  }

  beginLeaving(): void {
    if (this.state === 'left' || this.state === 'failed') return;
    if (this.isMember) this.state = 'leaving';
    this.stopping.abort(new UsageError(`${this.name} is leaving`));
    this.wake();
  }

  /** A static member leaves for a while: its partitions wait for it until its session would be over. */
  async leave(): Promise<void> {
    this.beginLeaving();
    await this.running;
    this.drop();
    const over = this.state === 'left';
    if (this.state !== 'failed') this.state = 'left';
    if (!over) await this.admission.leave();
  }

  fail(cause: KafkaError): void {
    if (this.state === 'failed' || this.state === 'left') return;
    this.drop();
    this.state = 'failed';
    this.stopping.abort(cause);
    this.host.onLost(cause);
    this.wake();
    this.host.onFailed(cause);
  }

  async epochAfter(
    generation: Generation,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Generation | undefined> {
    const { clock } = this.cluster;
    const isSame = (): boolean => this.isMember && this.memberId === generation.memberId;
    if (!isSame()) return undefined;
    if (this.generationId === generation.generationId) {
      const answered = new Promise<void>((resolve) => this.epochWaiters.add(resolve));
      this.beats.now();
      try {
        await unlessLate(clock, answered, timeoutMs, signal, () => undefined);
        if (this.generationId === generation.generationId) await delay(clock, MIN_PAUSE_MS, signal);
      } catch {
        return undefined;
      }
    }
    return isSame() ? this.generation() : undefined;
  }

  private get isMember(): boolean {
    return this.generationId !== NO_EPOCH;
  }

  private get name(): string {
    const { groupId, groupInstanceId } = this.options;
    return `member ${groupInstanceId ?? this.memberId} of group ${groupId}`;
  }

  private generation(): Generation {
    const { groupId, groupInstanceId } = this.options;
    return { groupId, groupInstanceId, memberId: this.memberId, generationId: this.generationId };
  }

  private facts(): MemberFacts {
    const { rackId, rebalanceTimeoutMs, serverAssignor } = this.options;
    const { topicNames, topicRegex } = this.topics;
    return { rackId, rebalanceTimeoutMs, serverAssignor, topicNames, topicRegex, owned: this.owned };
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    try {
      while (!signal.aborted) {
        this.state = 'unjoined';
        this.begin(await this.admission.enter(signal));
        await this.reconcileUntilLost(signal);
      }
    } catch (error) {
      if (!signal.aborted) this.fail(explained(asKafkaError(error), this.options.groupId));
    }
  }

  private begin({ answer, nodeId, sentMs }: Admitted): void {
    this.term += 1;
    this.state = 'stable';
    this.session.open(sentMs);
    this.take(answer, nodeId, sentMs);
    if (groupEvents.hasSubscribers) tellJoined(this.cluster, this, false, sentMs);
    this.beats.start();
    this.host.onDivided(undefined);
  }

  /** Brings what is owned to what the coordinator wants, again and again, until the membership is gone. */
  private async reconcileUntilLost(signal: AbortSignal): Promise<void> {
    const { term } = this;
    const isOurs = (): boolean => this.isMember && this.term === term && !signal.aborted;
    const stop = this.cluster.metadata.onChange(() => {
      if (this.unnamedRounds > 0 && this.isNamed) this.wake();
    });
    let told: IdAssignment | undefined;
    try {
      while (isOurs()) {
        const { step, unnamed } = nextStep(this.owned, this.target, (id) => this.names.has(id));
        if (step.kind === 'revoke') {
          this.state = 'revoking';
          await this.host.onRevoke(this.named(step.partitions));
          if (!isOurs()) return;
          this.state = 'stable';
          this.own(minus(this.owned, step.partitions));
          continue;
        }
        if (step.kind === 'claim') this.own(step.owned);
        if (told !== this.owned) this.host.onAssigned(this.named(this.owned));
        told = this.owned;
        this.unnamedRounds = unnamed.length === 0 ? 0 : this.unnamedRounds + 1;
        await this.untilNews(signal);
      }
    } finally {
      stop();
    }
  }

  /** What is owned from now on is acknowledged at once: others may wait for it. */
  private own(owned: IdAssignment): void {
    this.owned = owned;
    this.names.keep(new Set([...owned.keys(), ...this.target.keys()]));
    this.beats.now();
  }

  private named(assignment: IdAssignment): Assignment {
    return byName(assignment, (topicId) => this.names.nameOf(topicId));
  }

  /** Resolves when there may be something to do; ids without a name are looked up, again and again. */
  private async untilNews(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.cluster;
    const news = new Promise<void>((resolve) => {
      this.onNews = resolve;
      if (this.hasNews) resolve();
    });
    this.hasNews = false;
    if (this.unnamedRounds === 0) return news;
    const wanted = this.topics.isPattern ? undefined : this.topics.topicNames;
    // One that fails is repeated with the next round.
    await Promise.race([news, this.cluster.refresh(wanted, signal).catch(() => undefined)]);
    if (this.isNamed) return undefined;
    const pauseMs = backoffMs(this.unnamedRounds, MIN_PAUSE_MS, MAX_PAUSE_MS, random);
    return unlessLate(clock, news, pauseMs, signal, () => undefined).catch(() => undefined);
  }

  /** Every topic of the target has a name. */
  private get isNamed(): boolean {
    for (const topicId of this.target.keys()) if (!this.names.has(topicId)) return false;
    return true;
  }

  private async beat(): Promise<BeatOutcome> {
    if (this.session.check()) return 'answered';
    const { term, memberId, generationId } = this;
    let failure: KafkaError;
    try {
      const nodeId = await this.requests.coordinator();
      const sentMs = this.cluster.clock.now();
      const fields = this.sent.next(this.facts());
      const sending = { timeoutMs: this.beatTimeoutMs };
      const answer = await this.requests.beat(nodeId, memberId, generationId, fields, sending);
      if (this.isOver(term)) return 'answered';
      this.take(answer, nodeId, sentMs);
      return 'answered';
    } catch (error) {
      failure = asKafkaError(error);
    }
    if (this.isOver(term)) return 'answered';
    this.sent.forget();
    const verdict = this.act('heartbeat', failure);
    return verdict === 'again' || verdict === 'relocate' ? 'failed' : 'answered';
  }

  /** What comes of a request of that term matters to nobody any more. */
  private isOver(term: number): boolean {
    return term !== this.term || !this.isMember || this.session.check();
  }

  private get beatTimeoutMs(): number {
    return Math.min(this.cluster.requestTimeoutMs, Math.ceil(this.session.timeoutMs / 3));
  }

  private take(
    { memberEpoch, intervalMs, assignment }: HeartbeatAnswer,
    nodeId: number,
    sentMs: number,
  ): void {
    this.generationId = memberEpoch;
    this.session.renew(sentMs, nodeId);
    if (intervalMs > 0) this.beats.intervalMs = intervalMs;
    if (assignment !== undefined) this.target = assignment;
    this.tellEpoch();
    this.wake();
  }

  /** Does what the failure of a member's request asks for. */
  private act(request: EpochRequest, error: KafkaError): EpochVerdict {
    const verdict = epochVerdictOf(this.state, request, answerName(error), error.retriable);
    if (verdict === 'relocate') this.requests.forgetCoordinator();
    else if (verdict === 'rejoin') this.lose(error);
    else if (verdict === 'fail') this.fail(error);
    else if (verdict === 'newEpoch') this.beats.now();
    else if (verdict === 'nameTopics') {
      this.topics.giveUpPattern();
      this.beats.now();
    }
    return verdict;
  }

  private async resubscribe(): Promise<void> {
    const { signal } = this.stopping;
    try {
      if (await this.topics.resolve(signal)) this.beats.now();
    } catch (error) {
      const cause = asKafkaError(error);
      // The next change of the metadata asks again.
      if (!signal.aborted && !cause.retriable) this.fail(cause);
    }
  }

  private blocked(blockedMs: number): void {
    // Its own expiry tells it otherwise.
    if (this.session.check()) return;
    this.host.onBlocked?.({ blockedMs, sessionTimeoutMs: this.session.timeoutMs, isSessionOver: false });
  }

  private expire(afterMs: number): void {
    const blockedMs = this.beats.overdueMs();
    const isBlocked = blockedMs >= this.beats.intervalMs;
    const why = isBlocked ? `; nothing else in this process ran for ${blockedMs} ms` : '';
    const message = `No heartbeat of ${this.name} was answered for ${afterMs} ms: its session is over${why}`;
    if (isBlocked) this.host.onBlocked?.({ blockedMs, sessionTimeoutMs: afterMs, isSessionOver: true });
    this.lose(new TimeoutError(message, { afterMs, sent: true, api: 'ConsumerGroupHeartbeat' }));
  }

  private lose(cause: KafkaError): void {
    if (!this.isMember) return;
    this.drop();
    if (this.state === 'stable' || this.state === 'revoking') this.state = 'unjoined';
    this.host.onLost(cause);
    this.wake();
  }

  private drop(): void {
    this.generationId = NO_EPOCH;
    this.owned = OWNS_NOTHING;
    this.target = OWNS_NOTHING;
    this.beats.stop();
    this.session.close();
    this.tellEpoch();
  }

  private wake(): void {
    this.hasNews = true;
    this.onNews();
  }

  private tellEpoch(): void {
    for (const tell of this.epochWaiters) tell();
    this.epochWaiters.clear();
  }
}

/** What the consumer around the member has to know of a verdict. */
const VERDICTS: Readonly<Record<EpochVerdict, Verdict>> = {
  done: 'done',
  again: 'again',
  relocate: 'relocate',
  rejoin: 'loseMember',
  release: 'fail',
  nameTopics: 'again',
  newEpoch: 'again',
  fail: 'fail',
  ignore: 'ignore',
};
