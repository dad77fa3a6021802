import { NOTHING_ASSIGNED } from '../assignors/assignment.ts';
import type { Assignment } from '../assignors/assignment.ts';
import { timelineOrder } from '../assignors/timeline-order.ts';
import { ASSIGNORS, preferredAssignor } from './assignor-choice.ts';
import { isReconciled, isSubscribedAlike } from './consumer-member.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ConsumerGroupEnvironment } from './group-environment.ts';
import { MemberTimers } from './member-timers.ts';
import { PartitionOwners } from './partition-owners.ts';
import { reconcile } from './reconcile.ts';
import type { ReportedPartitions } from './reconcile.ts';
import { TopicRegexes } from './regexes.ts';
import type { RegexChange } from './regexes.ts';
import { subscriptionsOf } from './subscriptions.ts';
import type { Subscriptions } from './subscriptions.ts';
import { assignTargets } from './target-assignment.ts';
import type { AssignedMember } from './target-assignment.ts';

/** States of a group of the consumer protocol, by Kafka's names. */
export type ConsumerState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead';

/** A member on its way from what it was to what it said. */
export interface MemberUpdate {
  /** As the group knew it; a new member, or a static one under a new id, as it starts. */
  readonly former: ConsumerMember;
  /** With what it said now. */
  readonly updated: ConsumerMember;
  /** The member whose place it takes. */
  readonly replaces: ConsumerMember | undefined;
  readonly owned: readonly ReportedPartitions[] | null;
  /** The classic protocol counts a new regular expression as a change at once. */
  readonly bumpsForRegex: boolean;
}

/** A group of the consumer protocol (KIP-848): its members, their epochs, and what they are to have. */
export class ConsumerGroup {
  readonly type = 'consumer';
  readonly id: string;
  readonly environment: ConsumerGroupEnvironment;
  readonly members = new Map<string, ConsumerMember>();
  readonly targets = new Map<string, Assignment>();
  readonly timers: MemberTimers;
  readonly owners = new PartitionOwners();
  readonly regexes: TopicRegexes;
  groupEpoch = 1;
  /** The epoch that `targets` are of; 0 before the first. */
  assignmentEpoch = 0;
  readonly #staticIds = new Map<string, string>();
  #assignedAtMs = -Infinity;
  #fingerprint = '';
  #topicsVersion = -1;
  #isDead = false;

  constructor(id: string, environment: ConsumerGroupEnvironment) {
    this.id = id;
    this.environment = environment;
    this.timers = new MemberTimers(environment.clock);
    this.regexes = new TopicRegexes(environment.clock, environment.topics, (found) => this.#resolved(found));
  }

  get state(): ConsumerState {
    if (this.#isDead) return 'Dead';
    if (this.members.size === 0) return 'Empty';
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning';
    for (const member of this.members.values()) {
      if (!isReconciled(member, this.assignmentEpoch)) return 'Reconciling';
    }
    return 'Stable';
  }

  get assignorName(): string {
    return preferredAssignor(this.members.values());
  }

  byInstance(instanceId: string): ConsumerMember | undefined {
    return this.members.get(this.#staticIds.get(instanceId) ?? '');
  }

  isFullFor(memberId: string): boolean {
    return this.members.size >= this.environment.timings.consumerMaxSize && !this.members.has(memberId);
  }

  isSubscribedTo(topicName: string): boolean {
    return this.#subscriptions().topicNames.has(topicName);
  }

  /** Takes over members in a group epoch, each with its target. */
  resume(epoch: number, members: readonly ConsumerMember[], targets: ReadonlyMap<string, Assignment>): void {
    this.groupEpoch = epoch;
    this.assignmentEpoch = epoch;
    for (const member of members) {
      this.put(member);
      this.targets.set(member.id, targets.get(member.id) ?? NOTHING_ASSIGNED);
      if (member.classic === null) this.#timeRevocation(member);
    }
    this.#fingerprint = this.#subscriptions().fingerprint;
  }

  /** A member said something: new epoch and target where that changes what others have, then its own next step. */
  update(update: MemberUpdate): ConsumerMember {
    const { former, updated, replaces } = update;
    const isNew = !this.members.has(updated.id);
    if (replaces !== undefined) this.#replace(replaces, former.id);
    const regexChange = this.#updateRegex(former, updated);
    const hasNewNames = !isSubscribedAlike(former, updated);
    const bumps =
      hasNewNames ||
      regexChange === 'updatedAndResolved' ||
      (update.bumpsForRegex && regexChange === 'updated');
    this.#setMember(updated);
    if (bumps || this.#topicsVersion !== this.environment.topics.version) this.#refresh(bumps);
    this.#retarget(isNew ? updated.id : undefined);
    const hasSubscriptionChanged = hasNewNames || regexChange !== 'none';
    const stepped = this.reconcile(updated, hasSubscriptionChanged, update.owned);
    if (replaces !== undefined) this.owners.remove(replaces);
    this.put(stepped);
    this.environment.changed();
    return stepped;
  }

  /** The member's next step towards its target, with what it says it owns. */
  reconcile(
    member: ConsumerMember,
    hasSubscriptionChanged: boolean,
    owned: readonly ReportedPartitions[] | null,
  ): ConsumerMember {
    if (!hasSubscriptionChanged && isReconciled(member, this.assignmentEpoch)) return member;
    const stepped = reconcile(member, {
      targetEpoch: this.assignmentEpoch,
      target: this.targets.get(member.id) ?? NOTHING_ASSIGNED,
      subscribedTopicIds: this.#topicIdsOf(member),
      hasSubscriptionChanged,
      owned,
      isOwned: (topicId, partition) => this.owners.has(topicId, partition),
    });
    if (stepped !== member && stepped.classic === null) this.#timeRevocation(stepped);
    return stepped;
  }

  /** Keeps a member as it is now. */
  put(member: ConsumerMember): void {
    const former = this.members.get(member.id);
    if (former !== undefined) this.owners.remove(former);
    this.#setMember(member);
    this.owners.add(member);
  }

  /** Takes members out, and with the last one of a regular expression that. */
  fence(leaving: ReadonlySet<string>): void {
    if (leaving.size === 0 || this.environment.downgrade(leaving)) return;
    for (const id of leaving) this.#remove(id);
    const wanted = new Set(Array.from(this.members.values(), (member) => member.topicRegex));
    for (const regex of [...this.regexes.resolved.keys()]) if (!wanted.has(regex)) this.regexes.forget(regex);
    this.groupEpoch++;
    this.#fingerprint = this.#subscriptions().fingerprint;
    this.environment.changed();
  }

  /** The member's session starts anew. */
  keepAlive(memberId: string, timeoutMs = this.environment.timings.consumerSessionTimeoutMs): void {
    this.timers.start(memberId, 'session', timeoutMs, () => this.fence(new Set([memberId])));
  }

  /** Another node coordinates the group now: members get a fresh session there. */
  move(): void {
    for (const { id, classic } of this.members.values()) this.keepAlive(id, classic?.sessionTimeoutMs);
  }

  /** Ends it for good. */
  kill(): void {
    this.#isDead = true;
    this.timers.close();
    this.regexes.close();
    this.environment.changed();
  }

  #setMember(member: ConsumerMember): void {
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.#staticIds.set(member.instanceId, member.id);
  }

  #remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member === undefined) return;
    this.timers.cancelAll(memberId);
    this.members.delete(memberId);
    this.targets.delete(memberId);
    this.owners.remove(member);
    if (member.instanceId !== null) this.#staticIds.delete(member.instanceId);
  }

  /** A static member came back under a new id: what was for the old one is for the new one. */
  #replace(old: ConsumerMember, memberId: string): void {
    const target = this.targets.get(old.id) ?? NOTHING_ASSIGNED;
    this.timers.cancelAll(old.id);
    this.members.delete(old.id);
    this.targets.delete(old.id);
    this.targets.set(memberId, target);
  }

  /** Looks again at what all are subscribed to; a new group epoch when that changed or `bumps` says so. */
  #refresh(bumps: boolean): void {
    const { fingerprint } = this.#subscriptions();
    this.#topicsVersion = this.environment.topics.version;
    if (bumps || fingerprint !== this.#fingerprint) this.groupEpoch++;
    this.#fingerprint = fingerprint;
  }

  #updateRegex(former: ConsumerMember, updated: ConsumerMember): RegexChange {
    const [before, after] = [former.topicRegex, updated.topicRegex];
    if (before === '' && after === '' && this.regexes.resolved.size === 0) return 'none';
    const others = [...this.members.values()].filter(({ id }) => id !== updated.id);
    return this.regexes.update(before, after, others);
  }

  /** A new target for the current group epoch, unless there is one or the last one is too recent. */
  #retarget(newcomer: string | undefined): void {
    const { clock, timings, topics } = this.environment;
    if (this.assignmentEpoch >= this.groupEpoch) return;
    if (clock.now() < this.#assignedAtMs + timings.assignmentIntervalMs) return;
    const members = new Map<string, AssignedMember>();
    const known = [...this.members.keys()].filter((id) => id !== newcomer);
    const order = newcomer === undefined ? timelineOrder(known) : [...timelineOrder(known), newcomer];
    for (const id of order) members.set(id, this.#assignedMember(this.members.get(id)!));
    const targets = assignTargets({
      members,
      isHomogeneous: this.#subscriptions().isHomogeneous,
      assignor: ASSIGNORS.get(this.assignorName)!,
      topics,
    });
    for (const [id, target] of targets) this.targets.set(id, target);
    this.assignmentEpoch = this.groupEpoch;
    this.#assignedAtMs = clock.now();
  }

  #assignedMember({ id, instanceId, topicNames, topicRegex }: ConsumerMember): AssignedMember {
    return {
      instanceId,
      topicNames,
      matchedNames: this.regexes.resolved.get(topicRegex) ?? [],
      assignment: this.targets.get(id) ?? NOTHING_ASSIGNED,
    };
  }

  /** A member has so long to give partitions up. */
  #timeRevocation(member: ConsumerMember): void {
    if (member.state !== 'UNREVOKED_PARTITIONS') {
      this.timers.cancel(member.id, 'rebalance');
      return;
    }
    this.timers.start(member.id, 'rebalance', member.rebalanceTimeoutMs, () => {
      if (this.members.get(member.id)?.epoch === member.epoch) this.fence(new Set([member.id]));
    });
  }

  #resolved(found: ReadonlyMap<string, readonly string[]>): void {
    const wanted = new Set(Array.from(this.members.values(), (member) => member.topicRegex));
    let hasChanged = false;
    for (const [regex, names] of found) {
      if (!wanted.has(regex)) continue;
      const former = this.regexes.resolved.get(regex) ?? [];
      if (names.join() !== former.join()) hasChanged = true;
      this.regexes.resolved.set(regex, names);
    }
    this.#refresh(hasChanged);
    this.environment.changed();
  }

  #subscriptions(): Subscriptions {
    return subscriptionsOf([...this.members.values()], this.regexes.resolved, this.environment.topics);
  }

  #topicIdsOf({ topicNames, topicRegex }: ConsumerMember): ReadonlySet<string> {
    const names = [...topicNames, ...(this.regexes.resolved.get(topicRegex) ?? [])];
    return new Set(names.flatMap((name) => this.environment.topics.get(name)?.id ?? []));
  }
}
