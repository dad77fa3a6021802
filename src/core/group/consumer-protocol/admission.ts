// How a member gets into its group, again and again until it is in, and how it gets out.

import { KafkaError, TimeoutError } from '../../../errors.ts';
import { delay } from '../../clock.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { backoffMs, withRetry } from '../../cluster/retry.ts';
import { unlessLate } from '../../cluster/waiting.ts';
import { groupEvents } from '../../events/channels.ts';
import { tellAttemptFailed } from '../group-trace.ts';
import { asKafkaError } from '../unexpected.ts';
import type { HeartbeatFields } from './heartbeat-fields.ts';
import {
  JOINING,
  LEAVING,
  LEAVING_FOR_A_WHILE,
  OWN_ID_SINCE,
  type HeartbeatAnswer,
  type HeartbeatIdentity,
  type HeartbeatRequests,
} from './heartbeat-requests.ts';
import { epochVerdictOf } from './heartbeat-table.ts';
import { newMemberId } from './member-id.ts';
import type { SubscribedTopics } from './subscribed-topics.ts';
import { answerName, TryAgain } from './try-again.ts';

const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const LEAVE_TIMEOUT_MS = 5_000;
/** Attempts to join that follow one another without a pause. */
const MAX_QUICK = 3;

/** What an admission needs from, and tells, the member. */
export interface AdmissionHost {
  /** What the first heartbeat says. */
  fields(): HeartbeatFields;
  /** How long one request may take. */
  timeoutMs(): number;
  /** True while the request that joins is out. */
  onJoining(isJoining: boolean): void;
}

/** A request that was taken. */
export interface Admitted {
  readonly answer: HeartbeatAnswer;
  readonly nodeId: number;
  readonly sentMs: number;
}

/** Keeps the member's name, which outlives memberships. */
export class Admission {
  /** '' while it has none. */
  memberId = '';
  private readonly cluster: Cluster;
  private readonly identity: HeartbeatIdentity;
  private readonly requests: HeartbeatRequests;
  private readonly topics: SubscribedTopics;
  private readonly host: AdmissionHost;
  private joinedOnce = false;
  /** The coordinator may hold a member of this id. */
  private mayBeKnown = false;

  constructor(
    cluster: Cluster,
    identity: HeartbeatIdentity,
    requests: HeartbeatRequests,
    topics: SubscribedTopics,
    host: AdmissionHost,
  ) {
    this.cluster = cluster;
    this.identity = identity;
    this.requests = requests;
    this.topics = topics;
    this.host = host;
  }

  /** Rejects when no further attempt can help, or with the signal's reason. */
  async enter(signal: AbortSignal): Promise<Admitted> {
    const { clock, random } = this.cluster;
    let failingSince: number | undefined;
    let quick = 0;
    for (let failures = 0; ;) {
      try {
        return await this.tryOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (groupEvents.hasSubscribers) this.tellFailed(error);
        if (!(error instanceof TryAgain)) throw error;
        this.host.onJoining(false);
        if ((await this.prepareAgain(error)) && quick++ < MAX_QUICK) continue;
        signal.throwIfAborted();
        failures += 1;
        failingSince ??= clock.now();
        this.checkFirst(failingSince, error);
        await delay(clock, backoffMs(failures, MIN_PAUSE_MS, MAX_PAUSE_MS, random), signal);
      }
    }
  }

  /** As well as that goes within a few seconds: the session's expiry does later on the coordinator what this request does. Never rejects. */
  async leave(): Promise<void> {
    if (!this.mayBeKnown) return;
    this.mayBeKnown = false;
    const isStatic = this.identity.groupInstanceId !== null;
    await this.sendLeave(isStatic ? LEAVING_FOR_A_WHILE : LEAVING).catch(() => undefined);
  }

  private tellFailed(error: unknown): void {
    const { groupId } = this.identity;
    const member = { groupId, memberId: this.memberId, generationId: -1, state: 'joining' } as const;
    tellAttemptFailed(this.cluster.clientId, member, error);
  }

  /** A member that was never in the group gives up at the deadline; one that was waits for the cluster to come back. */
  private checkFirst(failingSince: number, { cause, verdict }: TryAgain): void {
    const { deadlineMs } = this.cluster.retry;
    if (this.joinedOnce || this.cluster.clock.now() - failingSince < deadlineMs) return;
    if (verdict === 'release') throw cause;
    const message = `Joining group ${this.identity.groupId} did not succeed within ${deadlineMs} ms; the last error was: ${cause.message}`;
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

  private async tryOnce(signal: AbortSignal): Promise<Admitted> {
    await this.lookUp(this.topics.resolve(signal), signal);
    const nodeId = await this.lookUp(this.requests.coordinator(), signal);
    const version = await this.lookUp(this.requests.version(nodeId), signal, true);
    signal.throwIfAborted();
    this.topics.speak(version);
    if (version >= OWN_ID_SINCE && this.memberId === '') this.memberId = newMemberId(this.cluster.random);
    this.host.onJoining(true);
    const sentMs = this.cluster.clock.now();
    const answer = await this.sendJoin(nodeId, signal);
    if (answer.memberId !== undefined) this.memberId = answer.memberId;
    signal.throwIfAborted();
    this.joinedOnce = true;
    return { answer, nodeId, sentMs };
  }

  private async sendJoin(nodeId: number, signal: AbortSignal): Promise<HeartbeatAnswer> {
    const { memberId } = this;
    const wasKnown = this.mayBeKnown;
    this.mayBeKnown = true;
    try {
      // A member without an id cannot take back a join whose answer it did not wait for.
      const sending = { timeoutMs: this.host.timeoutMs(), signal: memberId === '' ? undefined : signal };
      return await this.requests.beat(nodeId, memberId, JOINING, this.host.fields(), sending);
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
  private async lookUp<T>(
    promise: Promise<T>,
    signal: AbortSignal,
    isRepeated = this.joinedOnce,
  ): Promise<T> {
    try {
      return await unlessLate(this.cluster.clock, promise, Infinity, signal, () => undefined);
    } catch (error) {
      if (isRepeated && error instanceof KafkaError && error.retriable) throw new TryAgain(error, 'relocate');
      throw error;
    }
  }

  private async sendLeave(epoch: number): Promise<void> {
    const limits = { deadlineMs: LEAVE_TIMEOUT_MS };
    await withRetry(this.cluster, `Leaving group ${this.identity.groupId}`, limits, async (_, timeoutMs) => {
      const nodeId = await this.requests.coordinator();
      try {
        await this.requests.leave(nodeId, this.memberId, epoch, { timeoutMs });
      } catch (error) {
        this.requests.forgetCoordinator();
        throw error;
      }
    });
  }
}
