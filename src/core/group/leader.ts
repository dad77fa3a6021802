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

/** What a division is based on besides the members; when it changes, the group has to divide anew. */
export interface DividedTopics {
  /** Partition counts by topic, of every topic that any member subscribes to; 0 for those that do not exist. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** Empty when no member named a rack. */
  readonly racks: PartitionRacks;
}

/** What a group is made of. */
export interface GroupView extends DividedTopics {
  readonly members: readonly MemberSubscription[];
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
  const existing = topics.filter((topic) => partitionCounts.get(topic)! > 0);
  const isRackAware = members.some(({ rackId }) => rackId !== null && rackId !== '');
  const racks = new Map(isRackAware ? existing.map((topic) => [topic, partitionRacks(cluster, topic)]) : []);
  return { members, partitionCounts, racks };
}

/** Divides the group's partitions. Throws UsageError when the assignor breaks the rules. */
export function divide(
  assignor: Assignor,
  cooperative: boolean,
  { members, partitionCounts, racks }: GroupView,
): MemberAssignments {
  const existing = new Map([...partitionCounts].filter(([, count]) => count > 0));
  const all = assignor.assign(existing, members, racks);
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

/** Of each partition's replicas, without repetition; a broker that is down keeps the rack it had. */
export function partitionRacks({ metadata }: Cluster, topic: string): string[][] {
  return (metadata.topic(topic)?.partitions ?? []).map(({ replicas }) => {
    const known = replicas.map((nodeId) => metadata.rack(nodeId)).filter((rack) => rack !== undefined);
    return [...new Set(known)];
  });
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
