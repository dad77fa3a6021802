// A consumer group of the classic protocol, as Kafka's group coordinator runs it.
//
//   Empty               no members; commits may remain
//   PreparingRebalance  waits until every member has rejoined, or for the rebalance timeout
//   CompletingRebalance has a new generation; waits for the leader's assignment
//   Stable              every member can fetch its assignment
//   Dead                deleted; whoever still speaks to it is sent to look for the coordinator again

import type { Clock, Random, Timer } from '../../../core/clock.ts';
import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { GroupTimings } from '../options.ts';
import { randomMemberSuffix } from '../state/ids.ts';
import { GroupMember } from './group-member.ts';
import { failedJoin, failedSync } from './group-types.ts';
import type {
  GroupState,
  JoinRequest,
  JoinResult,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './group-types.ts';
import { MemberSet } from './member-set.ts';
import { PendingJoins } from './pending-joins.ts';

/** What a group needs from its cluster. */
export interface GroupEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly timings: GroupTimings;
  /** Called after every change. */
  readonly changed: (group: ClassicGroup) => void;
}

/** How long a member that never was in a generation may wait for its first join. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

export class ClassicGroup {
  readonly id: string;
  readonly members = new MemberSet();
  state: GroupState = 'Empty';
  generationId = 0;
  /** Null outside a generation. */
  protocolName: string | null = null;
  readonly #environment: GroupEnvironment;
  readonly #pendingJoins: PendingJoins;
  readonly #pendingSyncs = new Set<string>();
  #joinTimer: Timer | undefined;
  #syncTimer: Timer | undefined;
  #isInitialRebalance = false;
  #hasNewMember = false;

  constructor(id: string, environment: GroupEnvironment) {
    this.id = id;
    this.#environment = environment;
    this.#pendingJoins = new PendingJoins(environment.clock);
  }

  join(request: JoinRequest): JoinResult | Promise<JoinResult> {
    if (this.state === 'Dead') return failedJoin(ERRORS.COORDINATOR_NOT_AVAILABLE, request.memberId);
    if (!this.members.accepts(request.protocolType, request.protocols)) {
      return failedJoin(ERRORS.INCONSISTENT_GROUP_PROTOCOL, request.memberId);
    }
    if (request.memberId !== '') return this.#joinKnown(request);
    if (request.instanceId !== null) return this.#joinStatic(request, request.instanceId);
    const memberId = `${request.clientId}-${randomMemberSuffix(this.#environment.random)}`;
    if (!request.needsKnownMemberId) return this.#addMember(memberId, request);
    this.#pendingJoins.add(memberId, request.sessionTimeoutMs, () => {
      if (this.state === 'PreparingRebalance') this.#prepareOrComplete();
    });
    this.#environment.changed(this);
    return failedJoin(ERRORS.MEMBER_ID_REQUIRED, memberId);
  }

  sync(request: SyncRequest): SyncResult | Promise<SyncResult> {
    const error = this.#check(request) || this.#checkProtocol(request);
    if (error !== ERRORS.NONE) return failedSync(error);
    const member = this.members.get(request.memberId)!;
    switch (this.state) {
      case 'Empty':
        return failedSync(ERRORS.UNKNOWN_MEMBER_ID);
      case 'PreparingRebalance':
        return failedSync(ERRORS.REBALANCE_IN_PROGRESS);
      case 'CompletingRebalance': {
        this.#pendingSyncs.delete(member.id);
        const answer = member.waitForSync();
        if (member.id === this.members.leaderId) this.#assign(request.assignments);
        return answer;
      }
      default:
        this.#keepAlive(member);
        return this.#synced(member);
    }
  }

  /** The error to answer a heartbeat with. */
  heartbeat(from: MemberIdentity): number {
    const error = this.#check(from);
    if (error !== ERRORS.NONE) return error;
    if (this.state === 'Empty') return ERRORS.UNKNOWN_MEMBER_ID;
    this.#keepAlive(this.members.get(from.memberId)!);
    return this.state === 'PreparingRebalance' ? ERRORS.REBALANCE_IN_PROGRESS : ERRORS.NONE;
  }

  leave(memberId: string, instanceId: string | null): number {
    if (this.state === 'Dead') return ERRORS.COORDINATOR_NOT_AVAILABLE;
    if (instanceId === null && this.#pendingJoins.take(memberId)) return ERRORS.NONE;
    const member = instanceId === null ? this.members.get(memberId) : this.members.byInstance(instanceId);
    if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
    if (memberId !== '' && member.id !== memberId) return ERRORS.FENCED_INSTANCE_ID;
    this.#removeMember(member);
    return ERRORS.NONE;
  }

  /** The error to answer an OffsetCommit with; a good one counts as a heartbeat. */
  checkCommit(from: MemberIdentity): number {
    if (this.state === 'Dead') return ERRORS.COORDINATOR_NOT_AVAILABLE;
    if (from.generationId < 0 && this.state === 'Empty') return ERRORS.NONE;
    if (from.generationId < 0 && from.memberId === '' && from.instanceId === null)
      return ERRORS.UNKNOWN_MEMBER_ID;
    const error = this.#check(from);
    if (error !== ERRORS.NONE) return error;
    if (this.state === 'CompletingRebalance') return ERRORS.REBALANCE_IN_PROGRESS;
    this.#keepAlive(this.members.get(from.memberId)!);
    return ERRORS.NONE;
  }

  /** Another node coordinates the group now: what waits here is sent there, and members get a fresh session. */
  move(): void {
    for (const member of this.members.all()) {
      if (member.awaitsJoin) member.answerJoin(failedJoin(ERRORS.NOT_COORDINATOR, member.id));
      if (member.awaitsSync) member.answerSync(failedSync(ERRORS.NOT_COORDINATOR));
      this.#keepAlive(member);
    }
  }

  /** Ends it for good; nothing of it may be used any more. */
  kill(): void {
    this.#stopTimers();
    for (const member of this.members.all()) {
      member.heartbeat?.cancel();
      member.answerJoin(failedJoin(ERRORS.COORDINATOR_NOT_AVAILABLE, member.id));
      member.answerSync(failedSync(ERRORS.COORDINATOR_NOT_AVAILABLE));
    }
    this.#pendingJoins.clear();
    this.#become('Dead');
  }

  #joinKnown(request: JoinRequest): JoinResult | Promise<JoinResult> {
    if (this.#pendingJoins.take(request.memberId)) return this.#addMember(request.memberId, request);
    const error = this.members.check(request.memberId, request.instanceId);
    if (error !== ERRORS.NONE) return failedJoin(error, request.memberId);
    const member = this.members.get(request.memberId)!;
    switch (this.state) {
      case 'PreparingRebalance':
        return this.#rejoin(member, request);
      case 'CompletingRebalance':
        // The answer to its join was lost: the same again.
        if (member.matches(request)) return this.#joined(member);
        return this.#rejoin(member, request);
      case 'Stable':
        if (member.id === this.members.leaderId || !member.matches(request))
          return this.#rejoin(member, request);
        return this.#joined(member);
      default:
        return failedJoin(ERRORS.UNKNOWN_MEMBER_ID, request.memberId);
    }
  }

  #joinStatic(request: JoinRequest, instanceId: string): JoinResult | Promise<JoinResult> {
    const memberId = `${instanceId}-${randomMemberSuffix(this.#environment.random)}`;
    const member = this.members.byInstance(instanceId);
    if (member === undefined) return this.#addMember(memberId, request);
    const formerId = member.id;
    member.answerJoin(failedJoin(ERRORS.FENCED_INSTANCE_ID, formerId));
    member.answerSync(failedSync(ERRORS.FENCED_INSTANCE_ID));
    this.#pendingSyncs.delete(formerId);
    this.members.rename(member, memberId);
    if (this.state !== 'Stable') return this.#rejoin(member, request);
    member.update(request);
    if (this.members.elect() !== this.protocolName) return this.#rejoin(member, request);
    this.#keepAlive(member);
    this.#environment.changed(this);
    return this.#rejoined(member, formerId, request.canSkipAssignment);
  }

  /** A static member is back within its session and nothing changed: the generation goes on. */
  #rejoined(member: GroupMember, formerId: string, canSkipAssignment: boolean): JoinResult {
    const joined = this.#joined(member);
    if (member.id !== this.members.leaderId) return joined;
    // An old client cannot be told to leave the assignment alone, so it is not told that it leads.
    if (!canSkipAssignment) return { ...joined, leader: formerId, members: [] };
    return { ...joined, skipAssignment: true };
  }

  #addMember(memberId: string, request: JoinRequest): Promise<JoinResult> {
    const member = new GroupMember(memberId, request);
    if (this.members.size === 0) this.members.protocolType = request.protocolType;
    this.members.add(member);
    const answer = member.waitForJoin();
    if (this.state === 'PreparingRebalance') this.#hasNewMember = true;
    this.#setHeartbeat(member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#prepareOrComplete();
    return answer;
  }

  #rejoin(member: GroupMember, request: JoinRequest): Promise<JoinResult> {
    member.update(request);
    const answer = member.waitForJoin();
    this.#prepareOrComplete();
    return answer;
  }

  /** A membership changed: start a rebalance, or see whether the one under way is complete now. */
  #prepareOrComplete(): void {
    if (this.state === 'PreparingRebalance') {
      if (!this.#isInitialRebalance && this.#hasEveryoneJoined()) this.#completeJoin();
      else this.#environment.changed(this);
    } else if (this.state !== 'Dead') this.#prepare();
  }

  #prepare(): void {
    if (this.state === 'CompletingRebalance') {
      for (const member of this.members.all()) {
        member.assignment = Buffer.alloc(0);
        if (!member.awaitsSync) continue;
        member.answerSync(failedSync(ERRORS.REBALANCE_IN_PROGRESS));
        this.#keepAlive(member);
      }
    }
    this.#stopTimers();
    this.#isInitialRebalance = this.state === 'Empty';
    this.#become('PreparingRebalance');
    const timeoutMs = this.members.maxRebalanceTimeoutMs();
    if (this.#isInitialRebalance) this.#gather(timeoutMs);
    else if (this.#hasEveryoneJoined()) this.#completeJoin();
    else this.#joinTimer = this.#after(timeoutMs, () => this.#completeJoin());
  }

  /** The first rebalance of an empty group gives others a moment to come. */
  #gather(remainingMs: number): void {
    const delayMs = Math.min(this.#environment.timings.initialRebalanceDelayMs, remainingMs);
    this.#joinTimer = this.#after(delayMs, () => {
      if (this.#hasNewMember && remainingMs - delayMs > 0 && delayMs > 0) {
        this.#hasNewMember = false;
        this.#gather(remainingMs - delayMs);
      } else this.#completeJoin();
    });
  }

  #hasEveryoneJoined(): boolean {
    return this.#pendingJoins.size === 0 && this.members.all().every((member) => member.awaitsJoin);
  }

  #completeJoin(): void {
    this.#stopTimers();
    this.#isInitialRebalance = false;
    this.#hasNewMember = false;
    for (const member of this.members.all()) {
      if (member.awaitsJoin || member.instanceId !== null) continue;
      member.heartbeat?.cancel();
      this.members.remove(member);
    }
    if (this.members.size > 0 && !this.members.electLeader()) {
      // Only static members are left and none has come back: wait until their sessions end.
      this.#joinTimer = this.#after(this.members.maxRebalanceTimeoutMs(), () => this.#completeJoin());
      return;
    }
    this.generationId++;
    if (this.members.size === 0) {
      this.protocolName = null;
      this.#become('Empty');
      return;
    }
    this.protocolName = this.members.elect();
    for (const member of this.members.all()) this.#startGeneration(member);
    this.#syncTimer = this.#after(this.members.maxRebalanceTimeoutMs(), () => this.#expireSyncs());
    this.#become('CompletingRebalance');
  }

  #startGeneration(member: GroupMember): void {
    member.answerJoin(this.#joined(member));
    member.isNew = false;
    this.#pendingSyncs.add(member.id);
    this.#keepAlive(member);
  }

  #joined(member: GroupMember): JoinResult {
    const protocol = this.protocolName ?? '';
    const isLeader = member.id === this.members.leaderId;
    const describe = (one: GroupMember): JoinResult['members'][number] => ({
      memberId: one.id,
      groupInstanceId: one.instanceId,
      metadata: one.metadataOf(protocol),
    });
    return {
      errorCode: ERRORS.NONE,
      generationId: this.generationId,
      protocolType: this.members.protocolType,
      protocolName: protocol,
      leader: this.members.leaderId,
      memberId: member.id,
      skipAssignment: false,
      members: isLeader ? this.members.all().map(describe) : [],
    };
  }

  #assign(assignments: ReadonlyMap<string, Buffer>): void {
    this.#stopTimers();
    this.#pendingSyncs.clear();
    for (const member of this.members.all()) {
      // A copy: the request's frame must not live as long as the generation.
      member.assignment = Buffer.from(assignments.get(member.id) ?? []);
      if (!member.awaitsSync) continue;
      member.answerSync(this.#synced(member));
      this.#keepAlive(member);
    }
    this.#become('Stable');
  }

  #synced(member: GroupMember): SyncResult {
    return {
      errorCode: ERRORS.NONE,
      protocolType: this.members.protocolType,
      protocolName: this.protocolName,
      assignment: member.assignment,
    };
  }

  #expireSyncs(): void {
    if (this.state !== 'CompletingRebalance') return;
    for (const id of [...this.#pendingSyncs]) {
      const member = this.members.get(id);
      if (member === undefined) continue;
      member.heartbeat?.cancel();
      this.members.remove(member);
    }
    this.#pendingSyncs.clear();
    this.#prepare();
  }

  #removeMember(member: GroupMember): void {
    member.heartbeat?.cancel();
    this.#pendingSyncs.delete(member.id);
    this.members.remove(member);
    member.answerJoin(failedJoin(ERRORS.UNKNOWN_MEMBER_ID, member.id));
    member.answerSync(failedSync(ERRORS.UNKNOWN_MEMBER_ID));
    this.#prepareOrComplete();
  }

  #check(from: MemberIdentity): number {
    if (this.state === 'Dead') return ERRORS.COORDINATOR_NOT_AVAILABLE;
    const error = this.members.check(from.memberId, from.instanceId);
    if (error !== ERRORS.NONE) return error;
    return from.generationId === this.generationId ? ERRORS.NONE : ERRORS.ILLEGAL_GENERATION;
  }

  #checkProtocol(request: SyncRequest): number {
    const isOther = (said: string | null, known: string | null): boolean =>
      said !== null && known !== null && said !== known;
    const differs =
      isOther(request.protocolType, this.members.protocolType) ||
      isOther(request.protocolName, this.protocolName);
    return differs ? ERRORS.INCONSISTENT_GROUP_PROTOCOL : ERRORS.NONE;
  }

  #keepAlive(member: GroupMember): void {
    this.#setHeartbeat(member, member.sessionTimeoutMs);
  }

  #setHeartbeat(member: GroupMember, timeoutMs: number): void {
    member.heartbeat?.cancel();
    member.heartbeat = this.#after(timeoutMs, () => {
      // A member that waits for our answer cannot send heartbeats; a new one may have gone meanwhile, so its patience ends.
      if ((member.awaitsJoin || member.awaitsSync) && !member.isNew) return;
      this.#removeMember(member);
    });
  }

  #stopTimers(): void {
    this.#joinTimer?.cancel();
    this.#syncTimer?.cancel();
  }

  #after(delayMs: number, run: () => void): Timer {
    return this.#environment.clock.setTimeout(run, delayMs);
  }

  #become(state: GroupState): void {
    this.state = state;
    this.#environment.changed(this);
  }
}
