import type { Clock, Timer } from '../../../../core/clock.ts';
import { ERRORS } from '../../../../core/protocol/error-codes.ts';
import type { GroupTimings } from '../../options.ts';
import { failedSync } from '../group-types.ts';
import type { JoinResult, SyncResult } from '../group-types.ts';
import type { ClassicMember } from './classic-member.ts';
import type { MemberSet } from './member-set.ts';
import type { PendingJoins } from './pending-joins.ts';
import type { Sessions } from './sessions.ts';
import { mayEnter } from './states.ts';
import type { ClassicState } from './states.ts';

/** What the rebalances of a group work with. */
export interface RebalanceParts {
  readonly clock: Clock;
  readonly timings: GroupTimings;
  readonly members: MemberSet;
  readonly pendingJoins: PendingJoins;
  readonly sessions: Sessions;
  /** Called after every change. */
  readonly changed: () => void;
}

/** Before it is tried again to complete a rebalance that nobody joined; members may ask for no time at all. */
const MIN_RETRY_MS = 1000;

/** The state machine of a classic group: from one generation to the next. */
export class Rebalance {
  state: ClassicState = 'Empty';
  stateSinceMs: number;
  generationId = 0;
  /** Null outside a generation. */
  protocolName: string | null = null;
  readonly #parts: RebalanceParts;
  readonly #pendingSyncs = new Set<string>();
  #isInitial = false;
  #hasNewMember = false;
  #joinTimer: Timer | undefined;
  #syncTimer: Timer | undefined;

  constructor(parts: RebalanceParts) {
    this.#parts = parts;
    this.stateSinceMs = parts.clock.now();
  }

  /** A group that comes from elsewhere in the middle of a generation, or empty. */
  resume(generationId: number, sinceMs: number): void {
    const { members } = this.#parts;
    this.generationId = generationId;
    if (members.size > 0) this.protocolName = members.elect();
    this.#become(members.size > 0 ? 'Stable' : 'Empty');
    this.stateSinceMs = sinceMs;
  }

  /** The membership changed: starts a rebalance, or sees whether the one under way is complete now. */
  prepareOrComplete(): void {
    if (mayEnter('PreparingRebalance', this.state)) this.prepare();
    else if (this.state === 'PreparingRebalance' && !this.#isInitial) this.completeIfJoined();
    else this.#parts.changed();
  }

  /** Completes the join phase when nobody is missing any more, even the first one of an empty group. */
  completeIfJoined(): void {
    if (this.state === 'PreparingRebalance' && this.#hasEveryoneJoined()) this.#completeJoin();
    else this.#parts.changed();
  }

  prepare(): void {
    if (this.state === 'CompletingRebalance') this.#interruptSyncs();
    this.#clearSyncs();
    this.#isInitial = this.state === 'Empty';
    this.#become('PreparingRebalance');
    const timeoutMs = this.#parts.members.maxRebalanceTimeoutMs();
    const { initialRebalanceDelayMs: delayMs } = this.#parts.timings;
    if (this.#isInitial) this.#gather(delayMs, Math.max(timeoutMs - delayMs, 0));
    else if (this.#hasEveryoneJoined()) this.#completeJoin();
    else this.#joinWithin(timeoutMs);
  }

  /** A member came during the first rebalance: that waits a little for others. */
  memberAdded(): void {
    if (this.state === 'PreparingRebalance' && this.#isInitial) this.#hasNewMember = true;
  }

  memberRemoved(memberId: string): void {
    this.#pendingSyncs.delete(memberId);
  }

  /** The member has asked for its assignment. */
  synced(member: ClassicMember): void {
    this.#pendingSyncs.delete(member.id);
    if (this.#pendingSyncs.size === 0) this.#syncTimer?.cancel();
  }

  /** The leader has assigned. */
  assign(assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of this.#parts.members.all()) {
      // A copy: the request's frame must not live as long as the generation.
      member.assignment = Buffer.from(assignments.get(member.id) ?? []);
      if (!member.awaitsSync) continue;
      member.answerSync(this.syncResult(member));
      this.#parts.sessions.keepAlive(member);
    }
    this.#become('Stable');
  }

  syncResult(member: ClassicMember): SyncResult {
    return {
      errorCode: ERRORS.NONE,
      protocolType: this.#parts.members.protocolType,
      protocolName: this.protocolName,
      assignment: member.assignment,
    };
  }

  joinResult(member: ClassicMember): JoinResult {
    const { members } = this.#parts;
    const protocol = this.protocolName ?? '';
    const described = members.all().map((one) => ({
      memberId: one.id,
      groupInstanceId: one.instanceId,
      metadata: one.metadataOf(protocol),
    }));
    return {
      errorCode: ERRORS.NONE,
      generationId: this.generationId,
      protocolType: members.protocolType,
      protocolName: protocol,
      leader: members.leaderId,
      memberId: member.id,
      skipAssignment: false,
      members: member.id === members.leaderId ? described : [],
    };
  }

  /** Ends it for good. */
  kill(): void {
    this.#joinTimer?.cancel();
    this.#clearSyncs();
    this.#become('Dead');
  }

  #interruptSyncs(): void {
    for (const member of this.#parts.members.all()) {
      member.assignment = Buffer.alloc(0);
      if (!member.awaitsSync) continue;
      member.answerSync(failedSync(ERRORS.REBALANCE_IN_PROGRESS));
      this.#parts.sessions.keepAlive(member);
    }
  }

  /** The first rebalance of an empty group gives others a moment to come, and another one as long as they do. */
  #gather(delayMs: number, remainingMs: number): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = this.#parts.clock.setTimeout(() => {
      if (!this.#hasNewMember || remainingMs === 0) {
        this.#completeJoin();
        return;
      }
      this.#hasNewMember = false;
      const nextMs = Math.min(this.#parts.timings.initialRebalanceDelayMs, remainingMs);
      this.#gather(nextMs, Math.max(remainingMs - delayMs, 0));
    }, delayMs);
  }

  #joinWithin(timeoutMs: number): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = this.#parts.clock.setTimeout(() => this.#completeJoin(), timeoutMs);
  }

  #hasEveryoneJoined(): boolean {
    const { members, pendingJoins } = this.#parts;
    return pendingJoins.size === 0 && members.all().every((member) => member.awaitsJoin);
  }

  #completeJoin(): void {
    const { members, sessions } = this.#parts;
    this.#joinTimer?.cancel();
    for (const member of members.all()) {
      if (member.awaitsJoin || member.instanceId !== null) continue;
      member.session?.cancel();
      members.remove(member);
    }
    if (members.size > 0 && !members.electLeader()) {
      // Only static members are left and none has come back: wait until their sessions end.
      this.#joinWithin(Math.max(members.maxRebalanceTimeoutMs(), MIN_RETRY_MS));
      return;
    }
    this.#isInitial = false;
    this.generationId++;
    this.#pendingSyncs.clear();
    if (members.size === 0) {
      this.protocolName = null;
      this.#become('Empty');
      return;
    }
    this.protocolName = members.elect();
    for (const member of members.all()) {
      member.answerJoin(this.joinResult(member));
      member.isNew = false;
      this.#pendingSyncs.add(member.id);
      sessions.keepAlive(member);
    }
    this.#syncTimer?.cancel();
    this.#syncTimer = this.#parts.clock.setTimeout(
      () => this.#expireSyncs(),
      members.maxRebalanceTimeoutMs(),
    );
    this.#become('CompletingRebalance');
  }

  /** Members that have not asked for their assignment in time are gone. */
  #expireSyncs(): void {
    const { members } = this.#parts;
    if (this.#pendingSyncs.size === 0) return;
    for (const id of [...this.#pendingSyncs]) {
      const member = members.get(id);
      if (member === undefined) continue;
      member.session?.cancel();
      members.remove(member);
    }
    this.prepare();
  }

  #clearSyncs(): void {
    this.#pendingSyncs.clear();
    this.#syncTimer?.cancel();
  }

  #become(state: ClassicState): void {
    this.state = state;
    this.stateSinceMs = this.#parts.clock.now();
    this.#parts.changed();
  }
}
