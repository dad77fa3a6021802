// One attempt to get into a generation: JoinGroup, the leader's division, SyncGroup.

import { KafkaError, UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { decodeAssignment, encodeSubscription } from '../protocol/consumer-protocol.ts';
import { errorCode } from '../protocol/error-codes.ts';
import type { joinGroupApi } from '../protocol/messages/11-join-group.ts';
import { toAssignment, toTopicPartitions } from './assignment.ts';
import { isCooperative, type Assignment, type Assignor, type LastAssignment } from './assignors/assignor.ts';
import type { Generation } from './committer.ts';
import { divide, viewGroup, type DividedTopics } from './leader.ts';
import type { MemberAssignments, MemberRequests, OfferedProtocol } from './member-requests.ts';
import { verdictOf, type Verdict } from './membership-table.ts';

/** The coordinator's answer to JoinGroup. */
export type Joined = ResponseOf<typeof joinGroupApi>;

/** What a member joins with. */
export interface Joining {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it keeps while it joins. */
  readonly owned: Assignment;
  /** Of the generation it owns it in; -1 for none. */
  readonly generationId: number;
  /** Told to the coordinator. */
  readonly reason: string;
}

/** How a member divides. */
export interface JoinerOptions {
  readonly groupId: string;
  readonly assignors: readonly Assignor[];
  readonly rackId?: string | undefined;
}

/** What the member gets in a generation. */
export interface Synced {
  readonly assignment: Assignment;
  /** On the leader, what its division is based on. */
  readonly topics: DividedTopics | undefined;
}

/** The attempt failed, and another one may succeed; the verdict says what has to happen first. */
export class JoinAgain {
  readonly cause: KafkaError;
  readonly verdict: Verdict;

  constructor(cause: KafkaError, verdict: Verdict) {
    this.cause = cause;
    this.verdict = verdict;
  }
}

/** Rejects with {@link JoinAgain}, or with the error that no further attempt can help. */
export class Joiner {
  /** Members keep their claims while they rejoin. */
  readonly cooperative: boolean;
  private readonly cluster: Cluster;
  private readonly options: JoinerOptions;
  private readonly requests: MemberRequests;
  /** By assignor: what a division of it gave last. */
  private readonly last = new Map<string, LastAssignment>();

  constructor(cluster: Cluster, options: JoinerOptions, requests: MemberRequests) {
    this.cluster = cluster;
    this.options = options;
    this.requests = requests;
    this.cooperative = isCooperative(options.assignors);
  }

  async join(
    nodeId: number,
    joining: Joining,
    signal: AbortSignal,
    onMemberId: (memberId: string) => void,
  ): Promise<Joined> {
    const protocols = this.offer(joining);
    const { reason } = joining;
    let id = joining.memberId;
    for (let named = false; ; named = true) {
      const response = await orAgain(this.requests.join(nodeId, id, protocols, reason, signal));
      if (response.errorCode === 0) return response;
      const { name, retriable } = errorCode(response.errorCode);
      const verdict = verdictOf('joining', 'join', name, retriable);
      if (verdict !== 'useMemberId' || named) this.refuse('JoinGroup', response.errorCode, verdict);
      id = response.memberId;
      onMemberId(id);
    }
  }

  /** `onSent` is called when the request goes out. */
  async sync(
    nodeId: number,
    generation: Generation,
    joined: Joined,
    signal: AbortSignal,
    onSent: () => void,
  ): Promise<Synced> {
    const assignor = this.assignorOf(joined);
    const { assignments, topics } = await this.lead(assignor, joined, signal);
    onSent();
    const attempt = this.requests.sync(nodeId, generation, assignor.name, assignments, signal);
    const { errorCode: code, assignment: bytes } = await orAgain(attempt);
    if (code !== 0) {
      const { name, retriable } = errorCode(code);
      this.refuse('SyncGroup', code, verdictOf('syncing', 'sync', name, retriable));
    }
    const { assignedPartitions, userData } = decodeAssignment(bytes);
    const assignment = toAssignment(assignedPartitions);
    this.last.set(assignor.name, { assignment, generationId: generation.generationId });
    assignor.onAssignment?.(assignment, generation, userData);
    return { assignment, topics };
  }

  private offer({ topics, owned, generationId }: Joining): OfferedProtocol[] {
    const { assignors, rackId } = this.options;
    return assignors.map((assignor) => ({
      name: assignor.name,
      metadata: encodeSubscription({
        topics,
        userData: assignor.userData?.(topics, this.last.get(assignor.name)) ?? null,
        ownedPartitions: toTopicPartitions(owned),
        generationId,
        rackId: rackId ?? null,
      }),
    }));
  }

  private assignorOf({ protocolName }: Joined): Assignor {
    const assignor = this.options.assignors.find(({ name }) => name === protocolName);
    if (assignor !== undefined) return assignor;
    throw new UsageError(
      `Group ${this.options.groupId} chose '${protocolName}', which is no assignor of this member`,
      'assignors',
    );
  }

  /** On the leader: the division, unless the coordinator keeps the one it has for a static member that came back. */
  private async lead(
    assignor: Assignor,
    joined: Joined,
    signal: AbortSignal,
  ): Promise<{ assignments: MemberAssignments; topics: DividedTopics | undefined }> {
    if (joined.leader !== joined.memberId) return { assignments: [], topics: undefined };
    try {
      const view = await viewGroup(this.cluster, joined.members, signal);
      const assignments = joined.skipAssignment ? [] : divide(assignor, this.cooperative, view);
      const { partitionCounts, racks } = view;
      return { assignments, topics: { partitionCounts, racks } };
    } catch (error) {
      throw error instanceof KafkaError && error.retriable ? new JoinAgain(error, 'again') : error;
    }
  }

  private refuse(api: string, code: number, verdict: Verdict): never {
    const error = brokerError(code, {
      api,
      detail: `${errorCode(code).message} (group ${this.options.groupId})`,
    });
    throw verdict === 'fail' ? error : new JoinAgain(error, verdict);
  }
}

/** A request without an answer: the coordinator may be elsewhere. */
async function orAgain<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof KafkaError && error.retriable ? new JoinAgain(error, 'relocate') : error;
  }
}
