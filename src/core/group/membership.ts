// A member of a classic group: joins, keeps its session, rejoins, leaves. What answers mean is in membership-table.ts.

import { BrokerError, ConnectionError, KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import { delay } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { backoffMs, brokerError, withRetry } from '../cluster/retry.ts';
import { unlessLate } from '../cluster/waiting.ts';
import { groupEvents } from '../events/channels.ts';
import { errorCode } from '../protocol/error-codes.ts';
import { NO_PARTITIONS, countOf, without } from './assignment.ts';
import type { Assignment, Assignor } from './assignors/assignor.ts';
import type { Generation } from './committer.ts';
import type { GroupMembership, MembershipHost } from './group-membership.ts';
import { tellAttemptFailed, tellJoined, tellSynced } from './group-trace.ts';
import { Heartbeats, type BeatOutcome } from './heartbeats.ts';
import { Joiner, JoinAgain } from './joiner.ts';
import { MemberRequests, type MemberSettings } from './member-requests.ts';
import { verdictOf, type MemberRequest, type MemberState, type Verdict } from './membership-table.ts';
import { Session } from './session.ts';
import { asKafkaError } from './unexpected.ts';

/** Settings of a membership; all times in milliseconds. */
export interface MembershipOptions extends MemberSettings {
  readonly heartbeatIntervalMs: number;
  readonly assignors: readonly Assignor[];
  readonly rackId?: string | undefined;
}

const NO_GENERATION = -1;
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const LEAVE_TIMEOUT_MS = 5_000;
/** Attempts to join that follow one another without a pause. */
const MAX_QUICK = 3;
/** As Java's client cuts it. */
const MAX_REASON_LENGTH = 255;

/** Runs the membership of one group; used once. */
export class Membership implements GroupMembership {
  state: MemberState = 'unjoined';
  memberId = '';
  generationId = NO_GENERATION;
  private readonly cluster: Cluster;
  private readonly options: MembershipOptions;
  private readonly host: MembershipHost;
  private readonly requests: MemberRequests;
  private readonly joiner: Joiner;
  private readonly heartbeats: Heartbeats;
  private readonly session: Session;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private joinedOnce = false;
  /** Leaving was asked for. */
  private ending = false;
  /** What the member holds: nothing while an eager one joins. */
  private owned: Assignment = NO_PARTITIONS;
  private reason = 'the first join';
  private rejoinWanted = false;
  private onRejoin: () => void = () => {};

  constructor(cluster: Cluster, options: MembershipOptions, host: MembershipHost) {
    this.cluster = cluster;
    this.options = options;
    this.host = host;
    this.requests = new MemberRequests(cluster, options);
    this.joiner = new Joiner(cluster, options, this.requests);
    const { clock, random } = cluster;
    this.heartbeats = new Heartbeats(
      clock,
      random,
      options.heartbeatIntervalMs,
      () => this.beat(),
      (blockedMs) => this.blocked(blockedMs),
    );
    this.session = new Session(clock, options.sessionTimeoutMs, () => {
      const blockedMs = this.heartbeats.overdueMs();
      const isBlocked = blockedMs >= options.heartbeatIntervalMs;
      const why = isBlocked ? `; nothing else in this process ran for ${blockedMs} ms` : '';
      const message = `No heartbeat of ${this.name} was answered for ${options.sessionTimeoutMs} ms: its session is over${why}`;
      if (isBlocked)
        this.host.onBlocked?.({ blockedMs, sessionTimeoutMs: options.sessionTimeoutMs, isSessionOver: true });
      const details = { afterMs: options.sessionTimeoutMs, sent: true, api: 'Heartbeat' };
      const cause = new TimeoutError(message, details);
      // Between two generations the request that is out tells what became of the identity.
      if (this.state === 'stable' || this.state === 'revoking' || this.state === 'leaving') this.lose(cause);
      else this.loseClaims(cause);
    });
  }

  /** Whose commits the group takes now; undefined when the generation is gone or the session is over. */
  current(): Generation | undefined {
    this.session.check();
    return this.generationId === NO_GENERATION ? undefined : this.generation();
  }

  /** True when the session is over by our own clock; the loss has been told by then. */
  checkSession(): boolean {
    return this.session.check();
  }

  start(): void {
    this.running = this.run();
  }

  /** Rejoins in order, because the subscription or the partitions have changed. */
  requestRejoin(reason: string): void {
    if (this.state === 'stable') this.wantRejoin(reason);
  }

  /** What the failure of a request that was sent for that generation means; the member has acted on it by then. */
  refused(request: MemberRequest, error: KafkaError, generationId: number): Verdict {
    if (generationId !== this.generationId) return 'ignore';
    const verdict = verdictOf(this.state, request, answerName(error), error.retriable);
    if (verdict === 'relocate') this.forgetCoordinator();
    else if (verdict === 'rejoin') this.wantRejoin(`${request} was answered ${answerName(error)}`);
    else if (verdict === 'loseGeneration') this.lose(error);
    else if (verdict === 'loseMember') this.lose(error, true);
    else if (verdict === 'loseClaims') this.loseClaims(error);
    else if (verdict === 'fail') this.fail(error);
    return verdict;
  }

  /**
   * No more rebalances: the claims are drained for good. A join that is under way ends, unless claims are kept over it: their last commit
   * needs its generation.
   */
  beginLeaving(): void {
    if (this.state === 'left' || this.state === 'failed') return;
    this.ending = true;
    const isBetween = this.state === 'joining' || this.state === 'syncing';
    if (this.state === 'stable' || this.state === 'revoking') this.state = 'leaving';
    if (!isBetween || this.owned.size === 0) this.stop();
    this.onRejoin();
  }

  /** Leaves the group, as well as that goes within a few seconds; a static member just stops. Never rejects. */
  async leave(reason: string): Promise<void> {
    const isBetween = this.state === 'joining' || this.state === 'syncing';
    this.beginLeaving();
    this.stop();
    await this.running;
    this.requests.end(isBetween);
    const { memberId } = this;
    this.dropGeneration();
    const over = this.state === 'left';
    if (this.state !== 'failed') this.state = 'left';
    if (over || memberId === '' || this.options.groupInstanceId !== null) return;
    this.memberId = '';
    try {
      await withRetry(
        this.cluster,
        'LeaveGroup',
        { deadlineMs: LEAVE_TIMEOUT_MS },
        async (_, remainingMs) => {
          const nodeId = await this.coordinator();
          const { errorCode: code } = await this.requests.leave(nodeId, memberId, reason, remainingMs);
          if (code === 0) return;
          this.forgetCoordinator();
          throw brokerError(code, { api: 'LeaveGroup' });
        },
      );
    } catch {
      // The session's expiry does on the coordinator what this request would have done sooner.
    }
  }

  get groupId(): string {
    return this.options.groupId;
  }

  private get name(): string {
    const { groupId, groupInstanceId } = this.options;
    return `member ${groupInstanceId ?? this.memberId} of group ${groupId}`;
  }

  private generation(): Generation {
    const { groupId, groupInstanceId } = this.options;
    return { groupId, groupInstanceId, memberId: this.memberId, generationId: this.generationId };
  }

  private stop(): void {
    this.stopping.abort(new UsageError(`${this.name} is leaving`));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    try {
      while (!this.ending) {
        const assignment = await this.joinUntilStable();
        if (this.ending) return;
        const moved = without(this.owned, assignment);
        this.owned = assignment;
        if (moved.size > 0) {
          this.state = 'revoking';
          this.reason = 'partitions were given up for other members';
          const givenUp = this.host.onRevoke(moved);
          this.host.onAssigned(assignment);
          await givenUp;
          continue;
        }
        this.host.onAssigned(assignment);
        await this.untilRejoin();
        if (this.joiner.cooperative || this.state !== 'stable') continue;
        this.state = 'revoking';
        await this.host.onRevoke();
        this.owned = NO_PARTITIONS;
      }
    } catch (error) {
      if (!signal.aborted) this.fail(asKafkaError(error));
    }
  }

  private untilRejoin(): Promise<void> {
    return new Promise((resolve) => {
      this.onRejoin = resolve;
      if (this.rejoinWanted || this.stopping.signal.aborted || this.state !== 'stable') resolve();
    });
  }

  private wantRejoin(reason: string): void {
    this.reason = reason;
    this.rejoinWanted = true;
    this.onRejoin();
  }

  private async joinUntilStable(): Promise<Assignment> {
    const { clock, random } = this.cluster;
    const { signal } = this.stopping;
    if (this.owned.size === 0) this.session.unwatch();
    let failingSince: number | undefined;
    let quick = 0;
    for (let failures = 0; ;) {
      this.state = 'unjoined';
      try {
        return await this.joinOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (groupEvents.hasSubscribers) tellAttemptFailed(this.cluster.clientId, this, error);
        if (!(error instanceof JoinAgain)) throw error;
        if (this.ending) this.stop();
        signal.throwIfAborted();
        if (this.prepareAgain(error) && quick++ < MAX_QUICK) continue;
        failures += 1;
        failingSince ??= clock.now();
        this.checkFirstJoin(failingSince, error.cause);
        this.state = 'unjoined';
        await delay(clock, backoffMs(failures, MIN_PAUSE_MS, MAX_PAUSE_MS, random), signal);
      }
    }
  }

  /** A member that was never in the group gives up at the deadline; one that was waits for the cluster to come back. */
  private checkFirstJoin(failingSince: number, cause: KafkaError): void {
    const { deadlineMs } = this.cluster.retry;
    if (this.joinedOnce || this.cluster.clock.now() - failingSince < deadlineMs) return;
    const message = `Joining group ${this.options.groupId} did not succeed within ${deadlineMs} ms; the last error was: ${cause.message}`;
    throw new TimeoutError(message, { afterMs: deadlineMs, sent: true, api: 'JoinGroup', cause });
  }

  /** Does what the verdict asks for; returns whether the next attempt may follow at once. */
  private prepareAgain({ verdict, cause }: JoinAgain): boolean {
    if (verdict === 'relocate') this.forgetCoordinator();
    if (verdict === 'loseGeneration' || verdict === 'loseMember') {
      this.dropGeneration();
      this.loseClaims(cause);
    }
    if (verdict === 'loseMember') this.memberId = '';
    return verdict === 'rejoin' || verdict === 'loseMember';
  }

  private async joinOnce(signal: AbortSignal): Promise<Assignment> {
    this.rejoinWanted = false;
    const topics = await this.lookUp(this.host.topics(signal));
    const nodeId = await this.lookUp(this.coordinator());
    await this.giveUpUnsubscribed(topics);
    signal.throwIfAborted();
    this.state = 'joining';
    const startedAt = this.cluster.clock.now();
    const { memberId, generationId, owned } = this;
    const reason = this.reason.slice(0, MAX_REASON_LENGTH);
    const joining = { memberId, topics, owned, generationId, reason };
    const joined = await this.joiner.join(nodeId, joining, signal, (id) => {
      this.memberId = id;
    });
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    this.state = 'syncing';
    if (groupEvents.hasSubscribers)
      tellJoined(this.cluster, this, joined.leader === joined.memberId, startedAt);
    this.session.restart(this.cluster.clock.now());
    this.heartbeats.keep();
    let sentMs = 0;
    const synced = await this.joiner.sync(nodeId, this.generation(), joined, signal, () => {
      sentMs = this.cluster.clock.now();
    });
    this.session.renew(sentMs);
    this.state = this.ending ? 'leaving' : 'stable';
    this.joinedOnce = true;
    this.session.watch();
    if (groupEvents.hasSubscribers)
      tellSynced(this.cluster, this, countOf(synced.assignment), { startedAt, sentMs });
    this.host.onDivided(synced.topics);
    return synced.assignment;
  }

  /** A cooperative member keeps what it holds while it joins, but for the topics that it does not want any more. */
  private async giveUpUnsubscribed(topics: readonly string[]): Promise<void> {
    const gone = new Map([...this.owned].filter(([topic]) => !topics.includes(topic)));
    if (gone.size === 0) return;
    this.owned = without(this.owned, gone);
    await this.host.onRevoke(gone);
  }

  /** Calls with a deadline of their own: before the first join it holds, later the member waits for the cluster to come back. */
  private async lookUp<T>(promise: Promise<T>): Promise<T> {
    try {
      return await unlessLate(this.cluster.clock, promise, Infinity, this.stopping.signal, () => undefined);
    } catch (error) {
      if (this.joinedOnce && error instanceof KafkaError && error.retriable)
        throw new JoinAgain(error, 'again');
      throw error;
    }
  }

  private async beat(): Promise<BeatOutcome> {
    if (this.session.check()) return 'answered';
    const generation = this.generation();
    const { generationId } = generation;
    let sentMs = -Infinity;
    let failure: KafkaError | undefined;
    try {
      const nodeId = await this.coordinator();
      sentMs = this.cluster.clock.now();
      const { errorCode: code } = await this.requests.heartbeat(nodeId, generation);
      if (code !== 0) {
        failure = brokerError(code, {
          api: 'Heartbeat',
          detail: `${errorCode(code).message} (${this.name})`,
        });
      }
    } catch (error) {
      failure = asKafkaError(error);
    }
    if (generationId !== this.generationId || this.session.check()) return 'answered';
    const verdict = failure === undefined ? 'done' : this.refused('heartbeat', failure, generationId);
    if (verdict === 'done' || verdict === 'rejoin') this.session.renew(sentMs);
    return verdict === 'again' || verdict === 'relocate' ? 'failed' : 'answered';
  }

  private blocked(blockedMs: number): void {
    // Its own expiry tells it otherwise.
    if (this.session.check()) return;
    this.host.onBlocked?.({
      blockedMs,
      sessionTimeoutMs: this.options.sessionTimeoutMs,
      isSessionOver: false,
    });
  }

  private lose(cause: KafkaError, dropMember = false): void {
    if (this.generationId === NO_GENERATION) return;
    this.dropGeneration();
    if (dropMember) this.memberId = '';
    if (this.state === 'stable' || this.state === 'revoking') this.state = 'unjoined';
    this.owned = NO_PARTITIONS;
    this.host.onLost(cause);
    this.wantRejoin(`the member was lost: ${cause.message}`);
  }

  private loseClaims(cause: KafkaError): void {
    if (this.owned.size === 0) return;
    this.owned = NO_PARTITIONS;
    this.session.unwatch();
    this.host.onLost(cause);
  }

  /** Ends the membership: `onLost`, then `onFailed`. */
  fail(cause: KafkaError): void {
    if (this.state === 'failed' || this.state === 'left') return;
    this.dropGeneration();
    this.state = 'failed';
    this.stopping.abort(cause);
    this.host.onLost(cause);
    this.onRejoin();
    this.host.onFailed(cause);
  }

  private dropGeneration(): void {
    this.generationId = NO_GENERATION;
    this.heartbeats.stop();
    this.session.unwatch();
  }

  private coordinator(): Promise<number> {
    return this.cluster.coordinator('group', this.options.groupId);
  }

  private forgetCoordinator(): void {
    this.cluster.forgetCoordinator('group', this.options.groupId);
  }
}

/** The name under which the table knows it: no answer at all counts as a connection's trouble, whatever ended the waiting. */
function answerName(error: KafkaError): string {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return 'CONNECTION';
  return error instanceof BrokerError ? error.errorName : error.code;
}
