// A member of a group of the consumer protocol (KIP-848): the coordinator says what it shall own, it gives up, acknowledges and claims, and the
// claims that are not concerned never notice. What answers mean is in heartbeat-table.ts.

import { KafkaError, TimeoutError, UsageError } from '../../../errors.ts';
import { delay } from '../../clock.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { backoffMs, withRetry } from '../../cluster/retry.ts';
import { unlessLate } from '../../cluster/waiting.ts';
import type { Generation } from '../committer.ts';
import type { GroupMembership, MembershipHost } from '../group-membership.ts';
import type { BeatOutcome } from '../heartbeats.ts';
import type { MemberRequest, MemberState, Verdict } from '../membership-table.ts';
import { Session } from '../session.ts';
import { asKafkaError } from '../unexpected.ts';
import { Beats } from './beats.ts';
import type { EpochSource } from './epoch-committer.ts';
import { SentFields, type MemberFacts } from './heartbeat-fields.ts';
import {
  HeartbeatRequests,
  JOINING,
  LEAVING,
  LEAVING_FOR_A_WHILE,
  OWN_ID_SINCE,
  type HeartbeatAnswer,
} from './heartbeat-requests.ts';
import { groupSessionTimeoutMs } from './group-session-timeout.ts';
import { epochVerdictOf, type EpochRequest, type EpochVerdict } from './heartbeat-table.ts';
import { newMemberId } from './member-id.ts';
import { byName, nextStep } from './reconciliation.ts';
import { SubscribedTopics } from './subscribed-topics.ts';
import { TopicNames } from './topic-names.ts';
import { minus, OWNS_NOTHING, type IdAssignment } from './topic-partitions.ts';
import { answerName, explained, TryAgain } from './try-again.ts';

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
/** Kafka's own, and the least that brokers allow unless they are told otherwise. */
const DEFAULT_SESSION_MS = 45_000;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const LEAVE_TIMEOUT_MS = 5_000;
const ASK_SESSION_EVERY_MS = 300_000;
/** Attempts to join that follow one another without a pause. */
const MAX_QUICK = 3;

/** Runs the membership of one group; used once. */
export class ConsumerMembership implements GroupMembership, EpochSource {
  state: MemberState = 'unjoined';
  memberId = '';
  /** The member epoch. */
  generationId = NO_EPOCH;
  private readonly cluster: Cluster;
  private readonly options: ConsumerMembershipOptions;
  private readonly host: MembershipHost;
  private readonly requests: HeartbeatRequests;
  private readonly topics: SubscribedTopics;
  private readonly names: TopicNames;
  private readonly sent = new SentFields();
  private readonly beats: Beats;
  private readonly stopping = new AbortController();
  private session: Session;
  private sessionTimeoutMs = DEFAULT_SESSION_MS;
  /** When the last request was sent that was answered. */
  private renewedMs = -Infinity;
  private sessionAskedMs = -Infinity;
  private running: Promise<void> = Promise.resolve();
  private owned: IdAssignment = OWNS_NOTHING;
  private target: IdAssignment = OWNS_NOTHING;
  private joinedOnce = false;
  /** The coordinator may hold a member of this id. */
  private mayBeKnown = false;
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
    this.names = new TopicNames(cluster.metadata);
    this.beats = new Beats(cluster.clock, cluster.random, () => this.beat());
    this.session = this.newSession();
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
    if (over || !this.mayBeKnown) return;
    this.mayBeKnown = false;
    const epoch = this.options.groupInstanceId === null ? LEAVING : LEAVING_FOR_A_WHILE;
    try {
      await this.sendLeave(epoch);
    } catch {
      // The session's expiry does on the coordinator what this request would have done sooner.
    }
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
        await this.joinUntilMember(signal);
        await this.reconcileUntilLost(signal);
      }
    } catch (error) {
      if (!signal.aborted) this.fail(explained(asKafkaError(error), this.options.groupId));
    }
  }

  private async joinUntilMember(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.cluster;
    let failingSince: number | undefined;
    let quick = 0;
    for (let failures = 0; ;) {
      this.state = 'unjoined';
      try {
        await this.joinOnce(signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TryAgain)) throw error;
        this.state = 'unjoined';
        if ((await this.prepareAgain(error)) && quick++ < MAX_QUICK) continue;
        signal.throwIfAborted();
        failures += 1;
        failingSince ??= clock.now();
        this.checkFirstJoin(failingSince, error);
        await delay(clock, backoffMs(failures, MIN_PAUSE_MS, MAX_PAUSE_MS, random), signal);
      }
    }
  }

  /** A member that was never in the group gives up at the deadline; one that was waits for the cluster to come back. */
  private checkFirstJoin(failingSince: number, { cause, verdict }: TryAgain): void {
    const { deadlineMs } = this.cluster.retry;
    if (this.joinedOnce || this.cluster.clock.now() - failingSince < deadlineMs) return;
    if (verdict === 'release') throw cause;
    const message = `Joining group ${this.options.groupId} did not succeed within ${deadlineMs} ms; the last error was: ${cause.message}`;
    throw new TimeoutError(message, {
      afterMs: deadlineMs,
      sent: true,
      api: 'ConsumerGroupHeartbeat',
      cause,
    });
  }

  /** Does what the verdict asks for; resolves with whether the next attempt may follow at once. */
  private async prepareAgain({ verdict }: TryAgain): Promise<boolean> {
    if (verdict === 'relocate') this.requests.forgetCoordinator();
    if (verdict === 'nameTopics') this.topics.giveUpPattern();
    if (verdict === 'release') return this.releaseFormerSelf();
    return verdict === 'nameTopics' || verdict === 'rejoin';
  }

  /**
   * The coordinator takes no second member with this instance id before the first has left. When that is this member from before it lost its
   * session or an answer, it leaves now; when it is another one, which was killed perhaps, its session is waited for.
   */
  private async releaseFormerSelf(): Promise<boolean> {
    if (!this.mayBeKnown) return false;
    this.mayBeKnown = false;
    try {
      await this.sendLeave(LEAVING_FOR_A_WHILE);
      return true;
    } catch (error) {
      if (this.joinedOnce && answerName(asKafkaError(error)) === 'FENCED_INSTANCE_ID') throw error;
      return false;
    }
  }

  private async joinOnce(signal: AbortSignal): Promise<void> {
    await this.lookUp(this.topics.resolve(signal));
    const nodeId = await this.lookUp(this.requests.coordinator());
    const version = await this.lookUp(this.requests.version(nodeId), true);
    signal.throwIfAborted();
    this.topics.speak(version);
    if (version >= OWN_ID_SINCE && this.memberId === '') this.memberId = newMemberId(this.cluster.random);
    this.state = 'joining';
    const sentMs = this.cluster.clock.now();
    const answer = await this.sendJoin(nodeId, signal);
    if (answer.memberId !== undefined) this.memberId = answer.memberId;
    signal.throwIfAborted();
    this.term += 1;
    this.state = 'stable';
    this.joinedOnce = true;
    this.session = this.newSession();
    this.session.restart(sentMs);
    this.session.watch();
    this.take(answer, sentMs);
    this.beats.start();
    this.host.onDivided(undefined);
    void this.learnSession(nodeId, sentMs);
  }

  private async sendJoin(nodeId: number, signal: AbortSignal): Promise<HeartbeatAnswer> {
    const { memberId } = this;
    const wasKnown = this.mayBeKnown;
    this.mayBeKnown = true;
    try {
      // A member without an id cannot take back a join whose answer it did not wait for.
      const sending = { timeoutMs: this.beatTimeoutMs, signal: memberId === '' ? undefined : signal };
      return await this.requests.beat(nodeId, memberId, JOINING, this.sent.join(this.facts()), sending);
    } catch (error) {
      signal.throwIfAborted();
      const cause = asKafkaError(error);
      const name = answerName(cause);
      if (name !== 'CONNECTION') this.mayBeKnown = wasKnown;
      const verdict = epochVerdictOf('joining', 'join', name, cause.retriable);
      if (verdict === 'fail') throw cause;
      throw new TryAgain(cause, verdict);
    }
  }

  /** Calls with a deadline of their own: before the first join it holds, later the member waits for the cluster to come back. */
  private async lookUp<T>(promise: Promise<T>, isRepeated = this.joinedOnce): Promise<T> {
    try {
      return await unlessLate(this.cluster.clock, promise, Infinity, this.stopping.signal, () => undefined);
    } catch (error) {
      if (isRepeated && error instanceof KafkaError && error.retriable) throw new TryAgain(error, 'relocate');
      throw error;
    }
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

  private named(assignment: IdAssignment): ReadonlyMap<string, readonly number[]> {
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
    let sentMs = -Infinity;
    let failure: KafkaError | undefined;
    let answer: HeartbeatAnswer | undefined;
    let nodeId = -1;
    try {
      nodeId = await this.requests.coordinator();
      sentMs = this.cluster.clock.now();
      const fields = this.sent.next(this.facts());
      answer = await this.requests.beat(nodeId, memberId, generationId, fields, {
        timeoutMs: this.beatTimeoutMs,
      });
    } catch (error) {
      failure = asKafkaError(error);
    }
    if (term !== this.term || !this.isMember || this.session.check()) return 'answered';
    if (answer !== undefined) {
      this.take(answer, sentMs);
      if (sentMs - this.sessionAskedMs >= ASK_SESSION_EVERY_MS) void this.learnSession(nodeId, sentMs);
      return 'answered';
    }
    this.sent.forget();
    const verdict = this.act('heartbeat', failure!);
    return verdict === 'again' || verdict === 'relocate' ? 'failed' : 'answered';
  }

  private get beatTimeoutMs(): number {
    return Math.min(this.cluster.requestTimeoutMs, Math.ceil(this.sessionTimeoutMs / 3));
  }

  private take({ memberEpoch, intervalMs, assignment }: HeartbeatAnswer, sentMs: number): void {
    this.session.renew(sentMs);
    this.renewedMs = sentMs;
    this.generationId = memberEpoch;
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
    this.session.unwatch();
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

  /** Asked at every join and from time to time: a shorter session means an earlier end, a longer one patience. */
  private async learnSession(nodeId: number, sinceMs: number): Promise<void> {
    const { term } = this;
    this.sessionAskedMs = this.cluster.clock.now();
    const { groupId } = this.options;
    const timeoutMs = await groupSessionTimeoutMs(this.cluster, nodeId, groupId, this.stopping.signal);
    if (timeoutMs === undefined || timeoutMs === this.sessionTimeoutMs) return;
    this.sessionTimeoutMs = timeoutMs;
    if (term !== this.term || !this.isMember) return;
    this.session.unwatch();
    this.session = this.newSession();
    this.session.restart(Math.max(sinceMs, this.renewedMs));
    this.session.watch();
  }

  private newSession(): Session {
    const afterMs = this.sessionTimeoutMs;
    return new Session(this.cluster.clock, afterMs, () => {
      const message = `No heartbeat of ${this.name} was answered for ${afterMs} ms: its session is over`;
      this.lose(new TimeoutError(message, { afterMs, sent: true, api: 'ConsumerGroupHeartbeat' }));
    });
  }

  private async sendLeave(epoch: number): Promise<void> {
    const { memberId } = this;
    const limits = { deadlineMs: LEAVE_TIMEOUT_MS };
    await withRetry(this.cluster, `Leaving group ${this.options.groupId}`, limits, async (_, timeoutMs) => {
      const nodeId = await this.requests.coordinator();
      try {
        await this.requests.leave(nodeId, memberId, epoch, { timeoutMs });
      } catch (error) {
        this.requests.forgetCoordinator();
        throw error;
      }
    });
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
