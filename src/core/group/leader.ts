// The leader's part of a rebalance: who subscribes to what, how many partitions there are, who gets which.

import { ProtocolError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { decodeSubscription, encodeAssignment } from '../protocol/consumer-protocol.ts';
import { toAssignment, toTopicPartitions } from './assignment.ts';
import type { Assignor, MemberSubscription, PartitionRacks } from './assignors/assignor.ts';
import { withoutHandOvers } from './hand-over.ts';
import type { MemberAssignments } from './member-requests.ts';

/** A member in the coordinator's answer to the leader. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** What a group is made of. */
export interface GroupView {
  readonly members: readonly MemberSubscription[];
  /** Partition counts by topic, of every topic that any member subscribes to; 0 for those that do not exist. */
  readonly partitionCounts: ReadonlyMap<string, number>;
}

/** Reads the subscriptions, and asks for the topics in them. Rejects with ProtocolError when a member's subscription is malformed. */
export async function viewGroup(
  cluster: Cluster,
  joined: readonly JoinedMember[],
  signal: AbortSignal,
): Promise<GroupView> {
  const members = joined.map(readMember);
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort();
  await cluster.refresh(topics, signal);
  const partitionCounts = new Map(topics.map((topic) => [topic, partitionCount(cluster, topic)]));
  return { members, partitionCounts };
}

/** Divides the group's partitions. Throws UsageError when the assignor breaks the rules. */
export function divide(
  cluster: Cluster,
  assignor: Assignor,
  cooperative: boolean,
  { members, partitionCounts }: GroupView,
): MemberAssignments {
  const existing = new Map([...partitionCounts].filter(([, count]) => count > 0));
  const all = assignor.assign(existing, members, racksOf(cluster, existing, members));
  const divided = cooperative ? withoutHandOvers(assignor.name, members, all) : all;
  return members.map(({ memberId }) => {
    const assignment = divided.get(memberId) ?? new Map();
    const userData = assignor.assignmentUserData?.(memberId, assignment) ?? null;
    // Version 0: every client reads it, and later ones have nothing more.
    return {
      memberId,
      assignment: encodeAssignment({ assignedPartitions: toTopicPartitions(assignment), userData }, 0),
    };
  });
}

/** 0 while the cluster answers for the topic with an error. */
export function partitionCount(cluster: Cluster, topic: string): number {
  const known = cluster.metadata.topic(topic);
  return known === undefined || known.errorCode !== 0 ? 0 : known.partitions.length;
}

function racksOf(
  { metadata }: Cluster,
  topics: ReadonlyMap<string, number>,
  members: readonly MemberSubscription[],
): PartitionRacks {
  const racks = new Map<string, string[][]>();
  if (members.every(({ rackId }) => rackId === null || rackId === '')) return racks;
  for (const topic of topics.keys()) {
    const partitions = metadata.topic(topic)?.partitions ?? [];
    racks.set(
      topic,
      partitions.map(({ replicas }) => {
        const known = replicas.map((nodeId) => metadata.rack(nodeId)).filter((rack) => rack !== undefined);
        return [...new Set(known)];
      }),
    );
  }
  return racks;
}

function readMember({ memberId, groupInstanceId, metadata }: JoinedMember): MemberSubscription {
  try {
    const { topics, userData, ownedPartitions, generationId, rackId } = decodeSubscription(metadata);
    return {
      memberId,
      groupInstanceId,
      topics,
      userData,
      ownedPartitions: toAssignment(ownedPartitions),
      generationId,
      rackId,
    };
  } catch (error) {
    throw new ProtocolError(`The subscription of group member ${memberId} cannot be read`, {
      api: 'JoinGroup',
      cause: error,
    });
  }
}
