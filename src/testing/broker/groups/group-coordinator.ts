import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { ClusterEnvironment } from '../state/cluster-state.ts';
import type { GroupConfigs } from '../state/group-configs.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './consumer/classic-members.ts';
import { ConsumerGroup } from './consumer/consumer-group.ts';
import type { ClusterTopics } from './consumer/group-environment.ts';
import { LEFT, LEFT_FOR_A_WHILE } from './consumer/consumer-member.ts';
import { checkHeartbeat, heartbeat, leave } from './consumer/heartbeat.ts';
import type { HeartbeatRequest, HeartbeatResult } from './consumer/heartbeat.ts';
import { classicMembersOf, consumerMembersOf, mayDowngrade } from './convert.ts';
import type { ConvertedMember } from './convert.ts';
import { checkGroupCommit, isEmpty } from './group.ts';
import type { CommitTarget, Group } from './group.ts';
import { restoreGroup, snapshotGroup } from './group-snapshot.ts';
import type { GroupSnapshot } from './group-snapshot.ts';
import { failedJoin, failedSync } from './group-types.ts';
import type {
  CommitIdentity,
  JoinRequest,
  JoinResult,
  LeavingMember,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './group-types.ts';
import { OffsetRetention } from './offset-retention.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export type { Group } from './group.ts';

/** All groups of the cluster. Which node may speak for a group is the cluster's business. */
export class GroupCoordinator {
  readonly #environment: ClusterEnvironment;
  readonly #topics: ClusterTopics;
  readonly #configs: GroupConfigs;
  readonly #groups = new Map<string, Group>();
  readonly #retention: OffsetRetention;
  readonly #watchers = new Set<(groupId: string) => void>();

  constructor(environment: ClusterEnvironment, topics: ClusterTopics, configs: GroupConfigs) {
    this.#environment = environment;
    this.#topics = topics;
    this.#configs = configs;
    this.#retention = new OffsetRetention(environment.clock, environment.settings.group);
  }

  ids(): Iterable<string> {
    this.#sweep();
    return this.#groups.keys();
  }

  get(groupId: string): Group | undefined {
    this.#sweep();
    return this.#groups.get(groupId);
  }

  join(groupId: string, request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#environment.settings.group;
    if (groupId === '') return failedJoin(ERRORS.INVALID_GROUP_ID, request.memberId);
    if (request.sessionTimeoutMs < minSessionTimeoutMs || request.sessionTimeoutMs > maxSessionTimeoutMs) {
      return failedJoin(ERRORS.INVALID_SESSION_TIMEOUT, request.memberId);
    }
    const known = this.get(groupId);
    if (known?.membership.type === 'consumer') {
      if (!isEmpty(known)) return this.#joinConsumer(known, known.membership, request);
      known.membership.kill();
      // Its commits stay, whoever joins and whether or not it may.
      known.membership = this.#newClassic(groupId);
    }
    if (!this.#groups.has(groupId) && request.memberId !== '')
      return failedJoin(ERRORS.UNKNOWN_MEMBER_ID, request.memberId);
    return (this.#open(groupId).membership as ClassicGroup).join(request);
  }

  sync(groupId: string, request: SyncRequest): SyncResult | Promise<SyncResult> {
    if (groupId === '') return failedSync(ERRORS.INVALID_GROUP_ID);
    const membership = this.get(groupId)?.membership;
    if (membership === undefined || membership.state === 'Empty') return failedSync(ERRORS.UNKNOWN_MEMBER_ID);
    return membership.type === 'classic' ? membership.sync(request) : syncClassic(membership, request);
  }

  /** The error to answer a Heartbeat with. */
  heartbeat(groupId: string, from: MemberIdentity): number {
    if (groupId === '') return ERRORS.INVALID_GROUP_ID;
    const membership = this.get(groupId)?.membership;
    if (membership === undefined) return ERRORS.UNKNOWN_MEMBER_ID;
    return membership.type === 'classic' ? membership.heartbeat(from) : heartbeatClassic(membership, from);
  }

  /** The error for each member that leaves, in their order. */
  leave(groupId: string, leaving: readonly LeavingMember[]): number[] {
    const membership = this.get(groupId)?.membership;
    if (membership === undefined) return leaving.map(() => ERRORS.UNKNOWN_MEMBER_ID);
    return membership.type === 'classic' ? membership.leave(leaving) : leaveClassic(membership, leaving);
  }

  /** A heartbeat of the consumer protocol, which joins, leaves and reconciles too. */
  consumerHeartbeat(request: HeartbeatRequest): HeartbeatResult | Refusal {
    const problem = checkHeartbeat(request);
    if (problem !== undefined) return problem;
    const { groupId, memberEpoch } = request;
    const group = this.get(groupId);
    const membership = group?.membership;
    if (memberEpoch === LEFT || memberEpoch === LEFT_FOR_A_WHILE) {
      const consumers = this.consumerGroup(groupId);
      return isRefusal(consumers) ? consumers : leave(consumers, request);
    }
    if (membership?.type === 'consumer') return heartbeat(membership, request);
    if (memberEpoch !== 0) {
      const kind = membership === undefined ? `Consumer group ${groupId} not found.` : notConsumer(groupId);
      return refuse('GROUP_ID_NOT_FOUND', kind);
    }
    return this.#upgrade(group, request);
  }

  /** A group of the consumer protocol, or why there is none of that id. */
  consumerGroup(groupId: string): ConsumerGroup | Refusal {
    const membership = this.get(groupId)?.membership;
    if (membership?.type === 'consumer') return membership;
    return refuse(
      'GROUP_ID_NOT_FOUND',
      membership === undefined ? `Group ${groupId} not found.` : notConsumer(groupId),
    );
  }

  /** A group of the classic protocol, or why there is none of that id. */
  classicGroup(groupId: string): ClassicGroup | Refusal {
    const membership = this.get(groupId)?.membership;
    if (membership?.type === 'classic') return membership;
    const message =
      membership === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`;
    return refuse('GROUP_ID_NOT_FOUND', message);
  }

  /** The group to commit to, or the error to answer with. A commit from outside any membership makes the group. */
  checkCommit(groupId: string, from: CommitIdentity, targets?: readonly CommitTarget[]): Group | number {
    const group = this.get(groupId);
    if (group === undefined) {
      if (from.generationId < 0) return this.#open(groupId);
      const isNamed = !from.isTransactional && (from.version ?? 0) >= GROUP_ERRORS_FROM;
      return isNamed ? ERRORS.GROUP_ID_NOT_FOUND : ERRORS.ILLEGAL_GENERATION;
    }
    return checkGroupCommit(group, from, targets) || group;
  }

  delete(groupId: string): number {
    const group = this.get(groupId);
    if (group === undefined) return ERRORS.GROUP_ID_NOT_FOUND;
    if (!isEmpty(group)) return ERRORS.NON_EMPTY_GROUP;
    this.#remove(group);
    return ERRORS.NONE;
  }

  /** Tells the watchers that something of the group changed. */
  changed(groupId: string): void {
    for (const watcher of [...this.#watchers]) watcher(groupId);
  }

  watch(watcher: (groupId: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  forgetTopic(topic: string): void {
    for (const group of this.#groups.values()) group.offsets.forgetTopic(topic);
  }

  /** Another node coordinates the selected groups from now on. */
  moveAll(selects: (groupId: string) => boolean): void {
    for (const [id, group] of this.#groups) if (selects(id)) group.membership.move();
  }

  /** All groups, as plain data. */
  snapshot(): readonly GroupSnapshot[] {
    const nowMs = this.#environment.clock.now();
    return Array.from(this.#groups.values(), (group) => snapshotGroup(group, nowMs));
  }

  /** Makes an empty coordinator what a snapshot says; sessions start anew. */
  restore(from: readonly GroupSnapshot[]): void {
    for (const one of from) {
      const group = this.#open(one.id);
      if (one.membership.type === 'consumer') group.membership = this.#newConsumer(one.id);
      restoreGroup(group, one, this.#environment.clock.now());
      this.changed(one.id);
    }
  }

  close(): void {
    for (const group of this.#groups.values()) group.membership.kill();
    this.#groups.clear();
  }

  /** A member of the classic protocol joins a group of the other one; with the last of those gone the group is a classic one. */
  #joinConsumer(group: Group, consumers: ConsumerGroup, request: JoinRequest): JoinResult {
    const epochBefore = consumers.groupEpoch;
    const wasMixed = [...consumers.members.values()].some((member) => member.classic === null);
    const { result } = joinClassic(consumers, request);
    if (wasMixed && mayDowngrade(consumers, NOBODY)) {
      this.#downgrade(group, consumers, NOBODY, consumers.groupEpoch > epochBefore);
    }
    return result;
  }

  /** The first member of the consumer protocol joins a group that is not of it, or not there. */
  #upgrade(group: Group | undefined, request: HeartbeatRequest): HeartbeatResult | Refusal {
    const classic = group?.membership.type === 'classic' ? group.membership : undefined;
    const consumers = this.#newConsumer(request.groupId);
    if (classic !== undefined && classic.state !== 'Empty') {
      const members = consumerMembersOf(classic, this.#environment.settings.group, this.#topics);
      if (isRefusal(members)) return members;
      takeOver(consumers, classic.generationId, members);
    }
    const result = heartbeat(consumers, request);
    if (isRefusal(result)) {
      consumers.kill();
      return result;
    }
    this.#open(request.groupId).membership = consumers;
    classic?.kill(ERRORS.REBALANCE_IN_PROGRESS);
    this.changed(request.groupId);
    return result;
  }

  #downgrade(
    group: Group,
    consumers: ConsumerGroup,
    leaving: ReadonlySet<string>,
    rebalances: boolean,
  ): void {
    const classic = this.#newClassic(group.id);
    const members = classicMembersOf(consumers, leaving);
    group.membership = classic;
    consumers.kill();
    classic.members.protocolType = 'consumer';
    classic.resume(consumers.groupEpoch, members);
    if (rebalances) classic.rebalance();
  }

  #open(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group !== undefined) return group;
    group = { id: groupId, membership: this.#newClassic(groupId), offsets: new CommittedOffsets() };
    this.#groups.set(groupId, group);
    return group;
  }

  #newClassic(groupId: string): ClassicGroup {
    const { clock, random, settings } = this.#environment;
    const changed = (): void => this.changed(groupId);
    return new ClassicGroup(groupId, { clock, random, timings: settings.group, changed });
  }

  #newConsumer(groupId: string): ConsumerGroup {
    const { clock, random } = this.#environment;
    const configs = this.#configs;
    const consumers: ConsumerGroup = new ConsumerGroup(groupId, {
      clock,
      random,
      get timings() {
        return configs.timingsOf(groupId);
      },
      topics: this.#topics,
      changed: () => this.changed(groupId),
      downgrade: (leaving) => {
        const group = this.#groups.get(groupId);
        if (group === undefined || !mayDowngrade(consumers, leaving)) return false;
        this.#downgrade(group, consumers, leaving, true);
        return true;
      },
    });
    return consumers;
  }

  /** What is too old goes, when its time has come; done before anyone looks, so no timer is needed. */
  #sweep(): void {
    for (const group of this.#retention.sweep(this.#groups.values())) this.#remove(group);
  }

  #remove(group: Group): void {
    this.#groups.delete(group.id);
    group.membership.kill();
  }
}

const GROUP_ERRORS_FROM = 9;
const NOBODY: ReadonlySet<string> = new Set();

const notConsumer = (groupId: string): string => `Group ${groupId} is not a consumer group.`;

function takeOver(consumers: ConsumerGroup, epoch: number, converted: readonly ConvertedMember[]): void {
  const targets = new Map(converted.map(({ member, target }) => [member.id, target]));
  const members = converted.map(({ member }) => member);
  consumers.resume(epoch, members, targets);
  for (const { id, classic } of members) consumers.keepAlive(id, classic?.sessionTimeoutMs);
}
