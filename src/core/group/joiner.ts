// One attempt to get into a generation: JoinGroup, the leader's division, SyncGroup.

import { KafkaError, UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { decodeAssignment, encodeSubscription } from '../protocol/consumer-protocol.ts';
import { errorCode } from '../protocol/error-codes.ts';
import type { joinGroupApi } from '../protocol/messages/11-join-group.ts';
import type { Assignment, Assignor } from './assignors/assignor.ts';
import type { Generation } from './committer.ts';
import { divide } from './leader.ts';
import type { MemberAssignments, MemberRequests } from './member-requests.ts';
import { verdictOf, type Verdict } from './membership-table.ts';

/** The coordinator's answer to JoinGroup. */
export type Joined = ResponseOf<typeof joinGroupApi>;

/** What the member gets in a generation. */
export interface Synced {
  readonly assignment: Assignment;
  /** On the leader, what its division is based on. */
  readonly partitionCounts: ReadonlyMap<string, number> | undefined;
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
  private readonly cluster: Cluster;
  private readonly groupId: string;
  private readonly assignors: readonly Assignor[];
  private readonly requests: MemberRequests;

  constructor(cluster: Cluster, groupId: string, assignors: readonly Assignor[], requests: MemberRequests) {
    this.cluster = cluster;
    this.groupId = groupId;
    this.assignors = assignors;
    this.requests = requests;
  }

  async join(
    nodeId: number,
    memberId: string,
    topics: readonly string[],
    reason: string,
    signal: AbortSignal,
    onMemberId: (memberId: string) => void,
  ): Promise<Joined> {
    const metadata = encodeSubscription({ topics }, 1);
    const protocols = this.assignors.map(({ name }) => ({ name, metadata }));
    let id = memberId;
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
    const { assignments, partitionCounts } = await this.divideAsLeader(joined, signal);
    const protocolName = joined.protocolName ?? '';
    onSent();
    const attempt = this.requests.sync(nodeId, generation, protocolName, assignments, signal);
    const { errorCode: code, assignment } = await orAgain(attempt);
    if (code !== 0) {
      const { name, retriable } = errorCode(code);
      this.refuse('SyncGroup', code, verdictOf('syncing', 'sync', name, retriable));
    }
    const { assignedPartitions } = decodeAssignment(assignment);
    const own = assignedPartitions.filter(({ partitions }) => partitions.length > 0);
    return {
      assignment: new Map(own.map(({ topic, partitions }) => [topic, [...partitions].sort((a, b) => a - b)])),
      partitionCounts,
    };
  }

  private async divideAsLeader(
    joined: Joined,
    signal: AbortSignal,
  ): Promise<{ assignments: MemberAssignments; partitionCounts: ReadonlyMap<string, number> | undefined }> {
    if (joined.leader !== joined.memberId) return { assignments: [], partitionCounts: undefined };
    const assignor = this.assignors.find(({ name }) => name === joined.protocolName);
    if (assignor === undefined) {
      throw new UsageError(
        `Group ${this.groupId} chose '${joined.protocolName}', which is no assignor of this member`,
      );
    }
    try {
      const division = await divide(this.cluster, assignor, joined.members, signal);
      return joined.skipAssignment ? { ...division, assignments: [] } : division;
    } catch (error) {
      throw error instanceof KafkaError && error.retriable ? new JoinAgain(error, 'again') : error;
    }
  }

  private refuse(api: string, code: number, verdict: Verdict): never {
    const error = brokerError(code, { api, detail: `${errorCode(code).message} (group ${this.groupId})` });
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
