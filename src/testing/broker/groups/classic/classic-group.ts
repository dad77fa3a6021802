import type { Clock, Random } from '../../../../core/clock.ts';
import { ERRORS } from '../../../../core/protocol/error-codes.ts';
import type { GroupTimings } from '../../options.ts';
import { randomMemberSuffix } from '../../state/ids.ts';
import { failedJoin, failedSync } from '../group-types.ts';
import type {
  CommitIdentity,
  JoinRequest,
  JoinResult,
  LeavingMember,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from '../group-types.ts';
import { ClassicMember } from './classic-member.ts';
import { MemberSet } from './member-set.ts';
import { PendingJoins } from './pending-joins.ts';
import { Rebalance } from './rebalance.ts';
import { Sessions } from './sessions.ts';
import type { ClassicState } from './states.ts';

/** What a group needs from its cluster. */
export interface GroupEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly timings: GroupTimings;
  /** Called after every change. */
  readonly changed: () => void;
}

/** How long a member that never was in a generation may wait for its first join. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/** A consumer group of the classic protocol, as Kafka's group coordinator runs it: its answers to requests. */
export class ClassicGroup {
  readonly type = 'classic';
  readonly id: string;
  readonly members = new MemberSet();
  readonly #environment: GroupEnvironment;
  readonly #pendingJoins: PendingJoins;
  readonly #sessions: Sessions;
  readonly #rebalance: Rebalance;

  constructor(id: string, environment: GroupEnvironment) {
    const { clock, timings, changed } = environment;
    this.id = id;
    this.#environment = environment;
    this.#pendingJoins = new PendingJoins(clock);
    this.#sessions = new Sessions(clock, (member) => this.#expire(member));
    this.#rebalance = new Rebalance({
      clock,
      timings,
      members: this.members,
      pendingJoins: this.#pendingJoins,
      sessions: this.#sessions,
      changed,
    });
  }

  get state(): ClassicState {
    return this.#rebalance.state;
  }

  /** When it became what it is, by the cluster's clock. */
  get stateSinceMs(): number {
    return this.#rebalance.stateSinceMs;
  }

  get generationId(): number {
    return this.#rebalance.generationId;
  }

  /** Null outside a generation. */
  get protocolName(): string | null {
    return this.#rebalance.protocolName;
  }

  /** Takes over members in the middle of a generation, each with its assignment; without any it is empty since then. */
  resume(
    generationId: number,
    members: readonly ClassicMember[],
    sinceMs = this.#environment.clock.now(),
  ): void {
    for (const member of members) {
      this.members.add(member);
      this.#sessions.keepAlive(member);
    }
    this.#rebalance.resume(generationId, sinceMs);
  }

  /** What the members hold is out of date. */
  rebalance(): void {
    this.#rebalance.prepare();
  }

  join(request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { memberId } = request;
    if (!this.#hasRoomFor(memberId)) {
      const known = this.members.get(memberId);
      if (known !== undefined) this.#forget(known);
      this.#pendingJoins.take(memberId);
      return failedJoin(ERRORS.GROUP_MAX_SIZE_REACHED, '');
    }
    if (this.state === 'Dead') return failedJoin(ERRORS.COORDINATOR_NOT_AVAILABLE, memberId);
    if (!this.members.accepts(request.protocolType, request.protocols, this.state === 'Empty')) {
      return failedJoin(ERRORS.INCONSISTENT_GROUP_PROTOCOL, memberId);
    }
    if (memberId !== '') return this.#joinKnown(request);
    if (request.instanceId !== null) return this.#joinStatic(request, request.instanceId);
    const newId = `${request.clientId}-${randomMemberSuffix(this.#environment.random)}`;
    if (!request.needsKnownMemberId) return this.#addMember(newId, request);
    this.#pendingJoins.add(newId, request.sessionTimeoutMs, () => this.#rebalance.completeIfJoined());
    this.#environment.changed();
    return failedJoin(ERRORS.MEMBER_ID_REQUIRED, newId);
  }

  sync(request: SyncRequest): SyncResult | Promise<SyncResult> {
    const error = this.#check(request) || this.#checkProtocol(request);
    if (error !== ERRORS.NONE) return failedSync(error);
    const member = this.members.get(request.memberId)!;
    switch (this.state) {
      case 'PreparingRebalance':
        return failedSync(ERRORS.REBALANCE_IN_PROGRESS);
      case 'CompletingRebalance': {
        const answer = member.waitForSync();
        this.#rebalance.synced(member);
        if (member.id === this.members.leaderId) this.#rebalance.assign(request.assignments);
        return answer;
      }
      default:
        this.#rebalance.synced(member);
        return this.#rebalance.syncResult(member);
    }
  }

  /** The error to answer a heartbeat with. */
  heartbeat(from: MemberIdentity): number {
    const error = this.#check(from);
    if (error !== ERRORS.NONE) return error;
    this.#sessions.keepAlive(this.members.get(from.memberId)!);
    return this.state === 'PreparingRebalance' ? ERRORS.REBALANCE_IN_PROGRESS : ERRORS.NONE;
  }

  /** Takes members out, then rebalances once. The error for each, in their order. */
  leave(leaving: readonly LeavingMember[]): number[] {
    const errors = leaving.map((member) => this.#leaveOne(member));
    if (errors.includes(ERRORS.NONE)) this.#rebalance.prepareOrComplete();
    return errors;
  }

  /** The error to answer a commit with; a good one counts as a heartbeat. */
  checkCommit(from: CommitIdentity): number {
    if (this.state === 'Dead') return ERRORS.COORDINATOR_NOT_AVAILABLE;
    if (from.generationId < 0 && this.state === 'Empty') return ERRORS.NONE;
    if (from.generationId < 0 && from.memberId === '' && from.instanceId === null) {
      return from.isTransactional ? ERRORS.NONE : ERRORS.UNKNOWN_MEMBER_ID;
    }
    const error = this.#check(from);
    if (error !== ERRORS.NONE || from.isTransactional) return error;
    if (this.state === 'CompletingRebalance') return ERRORS.REBALANCE_IN_PROGRESS;
    this.#sessions.keepAlive(this.members.get(from.memberId)!);
    return ERRORS.NONE;
  }

  /** Another node coordinates the group now: what waits here is sent there, and members get a fresh session. */
  move(): void {
    this.#answerAll(ERRORS.NOT_COORDINATOR);
    for (const member of this.members.all()) this.#sessions.keepAlive(member);
  }

  /** Ends it for good; nothing of it may be used any more. Whoever waits is answered with the error. */
  kill(error: number = ERRORS.COORDINATOR_NOT_AVAILABLE): void {
    for (const member of this.members.all()) member.session?.cancel();
    this.#answerAll(error);
    this.#pendingJoins.clear();
    this.#rebalance.kill();
  }

  #hasRoomFor(memberId: string): boolean {
    const { maxSize } = this.#environment.timings;
    const known = this.members.get(memberId);
    switch (this.state) {
      case 'PreparingRebalance':
        return known?.awaitsJoin === true || this.members.countAwaitingJoin() < maxSize;
      case 'CompletingRebalance':
      case 'Stable':
        return known !== undefined || this.members.size < maxSize;
      default:
        return true;
    }
  }

  #joinKnown(request: JoinRequest): JoinResult | Promise<JoinResult> {
    if (this.#pendingJoins.take(request.memberId)) return this.#addMember(request.memberId, request);
    const error = this.members.check(request.memberId, request.instanceId);
    if (error !== ERRORS.NONE) return failedJoin(error, request.memberId);
    const member = this.members.get(request.memberId)!;
    switch (this.state) {
      case 'CompletingRebalance':
        // The answer to its join was lost: the same again.
        if (member.matches(request)) return this.#rebalance.joinResult(member);
        return this.#rejoin(member, request);
      case 'Stable':
        if (member.id === this.members.leaderId || !member.matches(request))
          return this.#rejoin(member, request);
        return this.#rebalance.joinResult(member);
      default:
        return this.#rejoin(member, request);
    }
  }

  #joinStatic(request: JoinRequest, instanceId: string): JoinResult | Promise<JoinResult> {
    const memberId = `${instanceId}-${randomMemberSuffix(this.#environment.random)}`;
    const member = this.members.byInstance(instanceId);
    if (member === undefined) return this.#addMember(memberId, request);
    const formerId = member.id;
    member.answerJoin(failedJoin(ERRORS.FENCED_INSTANCE_ID, formerId));
    member.answerSync(failedSync(ERRORS.FENCED_INSTANCE_ID));
    this.#rebalance.memberRemoved(formerId);
    this.members.rename(member, memberId);
    this.#sessions.keepAlive(member);
    if (this.state !== 'Stable') return this.#rejoin(member, request);
    member.update(request);
    if (this.members.elect() !== this.protocolName) return this.#rejoin(member, request);
    this.#environment.changed();
    return this.#rejoined(member, formerId, request.canSkipAssignment);
  }

  /** A static member is back within its session and nothing changed: the generation goes on. */
  #rejoined(member: ClassicMember, formerId: string, canSkipAssignment: boolean): JoinResult {
    const joined = this.#rebalance.joinResult(member);
    if (member.id !== this.members.leaderId) return joined;
    // An old client cannot be told to leave the assignment alone, so it is not told that it leads.
    if (!canSkipAssignment) return { ...joined, leader: formerId, members: [] };
    return { ...joined, skipAssignment: true };
  }

  #addMember(memberId: string, request: JoinRequest): Promise<JoinResult> {
    const member = new ClassicMember(memberId, request);
    this.#rebalance.memberAdded();
    if (this.members.size === 0) this.members.protocolType = request.protocolType;
    this.members.add(member);
    const answer = member.waitForJoin();
    this.#sessions.keepAlive(member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#rebalance.prepareOrComplete();
    return answer;
  }

  #rejoin(member: ClassicMember, request: JoinRequest): Promise<JoinResult> {
    member.update(request);
    const answer = member.waitForJoin();
    this.#rebalance.prepareOrComplete();
    return answer;
  }

  #leaveOne({ memberId, instanceId }: LeavingMember): number {
    if (this.state === 'Dead') return ERRORS.COORDINATOR_NOT_AVAILABLE;
    if (this.#pendingJoins.take(memberId)) return ERRORS.NONE;
    const isByInstance = memberId === '' && instanceId !== null;
    const member = isByInstance ? this.members.byInstance(instanceId) : this.members.get(memberId);
    if (!isByInstance) {
      const error = this.members.check(memberId, instanceId);
      if (error !== ERRORS.NONE) return error;
    }
    if (member === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
    this.#forget(member);
    return ERRORS.NONE;
  }

  #expire(member: ClassicMember): void {
    this.#forget(member);
    if (this.state === 'PreparingRebalance') this.#rebalance.completeIfJoined();
    else this.#rebalance.prepareOrComplete();
  }

  #forget(member: ClassicMember): void {
    member.session?.cancel();
    this.#rebalance.memberRemoved(member.id);
    this.members.remove(member);
    member.answerJoin(failedJoin(ERRORS.UNKNOWN_MEMBER_ID, ''));
    member.answerSync(failedSync(ERRORS.UNKNOWN_MEMBER_ID));
  }

  #answerAll(error: number): void {
    for (const member of this.members.all()) {
      member.answerJoin(failedJoin(error, member.id));
      member.answerSync(failedSync(error));
    }
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
}
