import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { ClusterEnvironment } from '../state/cluster-state.ts';
import { ClassicGroup } from './classic-group.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import { failedJoin } from './group-types.ts';
import type { JoinRequest, JoinResult, MemberIdentity } from './group-types.ts';

/** A group with its commits. */
export interface Group {
  readonly membership: ClassicGroup;
  readonly offsets: CommittedOffsets;
}

/** All groups of the cluster. Which node may speak for a group is the cluster's business. */
export class GroupCoordinator {
  readonly #environment: ClusterEnvironment;
  readonly #groups = new Map<string, Group>();
  readonly #watchers = new Set<(groupId: string) => void>();

  constructor(environment: ClusterEnvironment) {
    this.#environment = environment;
  }

  ids(): Iterable<string> {
    return this.#groups.keys();
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  join(groupId: string, request: JoinRequest): JoinResult | Promise<JoinResult> {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#environment.settings.group;
    if (groupId === '') return failedJoin(ERRORS.INVALID_GROUP_ID, request.memberId);
    if (request.sessionTimeoutMs < minSessionTimeoutMs || request.sessionTimeoutMs > maxSessionTimeoutMs) {
      return failedJoin(ERRORS.INVALID_SESSION_TIMEOUT, request.memberId);
    }
    const known = this.#groups.get(groupId);
    if (known === undefined && request.memberId !== '')
      return failedJoin(ERRORS.UNKNOWN_MEMBER_ID, request.memberId);
    return this.#open(groupId).membership.join(request);
  }

  /** The group to commit to, or the error to answer with. A commit from outside any membership makes the group. */
  checkCommit(groupId: string, from: MemberIdentity): Group | number {
    if (groupId === '') return ERRORS.INVALID_GROUP_ID;
    const group = this.#groups.get(groupId);
    if (group === undefined) return from.generationId < 0 ? this.#open(groupId) : ERRORS.ILLEGAL_GENERATION;
    const error = group.membership.checkCommit(from);
    return error === ERRORS.NONE ? group : error;
  }

  delete(groupId: string): number {
    if (groupId === '') return ERRORS.INVALID_GROUP_ID;
    const group = this.#groups.get(groupId);
    if (group === undefined) return ERRORS.GROUP_ID_NOT_FOUND;
    if (group.membership.state !== 'Empty') return ERRORS.NON_EMPTY_GROUP;
    this.#groups.delete(groupId);
    group.membership.kill();
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

  close(): void {
    for (const group of this.#groups.values()) group.membership.kill();
    this.#groups.clear();
  }

  #open(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group !== undefined) return group;
    const { clock, random, settings } = this.#environment;
    const membership = new ClassicGroup(groupId, {
      clock,
      random,
      timings: settings.group,
      changed: () => this.changed(groupId),
    });
    group = { membership, offsets: new CommittedOffsets() };
    this.#groups.set(groupId, group);
    return group;
  }
}
