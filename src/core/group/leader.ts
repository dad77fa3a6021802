// The leader's part of a rebalance: who subscribes to what, how many partitions there are, who gets which.

import { ProtocolError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { decodeSubscription, encodeAssignment } from '../protocol/consumer-protocol.ts';
import type { Assignment, Assignor, GroupMember } from './assignors/assignor.ts';
import type { MemberAssignments } from './member-requests.ts';

/** A member in the coordinator's answer to the leader. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** The division, and what it is based on. */
export interface Division {
  readonly assignments: MemberAssignments;
  /** Partition counts by topic, of every topic that any member subscribes to; 0 for those that do not exist. */
  readonly partitionCounts: ReadonlyMap<string, number>;
}

/** Divides the group's partitions. Rejects with ProtocolError when a member's subscription is malformed. */
export async function divide(
  cluster: Cluster,
  assignor: Assignor,
  joined: readonly JoinedMember[],
  signal: AbortSignal,
): Promise<Division> {
  const members = joined.map(readMember);
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort();
  await cluster.refresh(topics, signal);
  const partitionCounts = new Map(topics.map((topic) => [topic, partitionCount(cluster, topic)]));
  const existing = new Map([...partitionCounts].filter(([, count]) => count > 0));
  const divided = assignor.assign(existing, members);
  const assignments = members.map(({ memberId }) => ({
    memberId,
    assignment: encode(divided.get(memberId) ?? new Map()),
  }));
  return { assignments, partitionCounts };
}

/** 0 while the cluster answers for the topic with an error. */
export function partitionCount(cluster: Cluster, topic: string): number {
  const known = cluster.metadata.topic(topic);
  return known === undefined || known.errorCode !== 0 ? 0 : known.partitions.length;
}

function readMember({ memberId, groupInstanceId, metadata }: JoinedMember): GroupMember {
  try {
    const { topics, userData } = decodeSubscription(metadata);
    return { memberId, groupInstanceId, topics, userData };
  } catch (error) {
    throw new ProtocolError(`The subscription of group member ${memberId} cannot be read`, {
      api: 'JoinGroup',
      cause: error,
    });
  }
}

/** Version 0: every client reads it, and nothing of later versions is in use. */
function encode(assignment: Assignment): Buffer {
  const assignedPartitions = [...assignment].map(([topic, partitions]) => ({ topic, partitions }));
  return encodeAssignment({ assignedPartitions }, 0);
}
