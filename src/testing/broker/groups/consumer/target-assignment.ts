import { assignmentOf, isSameAssignment, NOTHING_ASSIGNED } from '../assignors/assignment.ts';
import type { Assignment } from '../assignors/assignment.ts';
import type { Assignor, MemberSpec } from '../assignors/group-spec.ts';
import { capacityOfCopy, JavaHashMap, stringHash } from '../assignors/java-hash-map.ts';

/** A member as the target assignment is made for it. */
export interface AssignedMember {
  readonly instanceId: string | null;
  /** By name. */
  readonly topicNames: readonly string[];
  /** Topics its regular expression stands for. */
  readonly matchedNames: readonly string[];
  readonly assignment: Assignment;
}

/** The topics of the cluster, as far as assigning goes. */
export interface TopicSizes {
  get(name: string): { readonly id: string; readonly partitions: { readonly length: number } } | undefined;
  byId(id: string): { readonly name: string; readonly partitions: { readonly length: number } } | undefined;
}

export interface TargetRequest {
  /** In the order in which Kafka would look at them. */
  readonly members: ReadonlyMap<string, AssignedMember>;
  readonly isHomogeneous: boolean;
  readonly assignor: Assignor;
  readonly topics: TopicSizes;
}

/** The target of every member. One that stays the same is the same object. */
export function assignTargets(request: TargetRequest): Map<string, Assignment> {
  const { topics } = request;
  const specs = new JavaHashMap<string, MemberSpec>(stringHash);
  for (const [memberId, member] of request.members) specs.set(memberId, specOf(member, topics));
  const shares = request.assignor({
    members: new Map(specs.keys().map((memberId) => [memberId, specs.get(memberId)!])),
    isHomogeneous: request.isHomogeneous,
    partitionsOf: (topicId) => topics.byId(topicId)?.partitions.length ?? 0,
  });
  const targets = new Map<string, Assignment>();
  for (const [memberId, { assignment }] of request.members) {
    const share = shares.get(memberId);
    const assigned = share === undefined ? NOTHING_ASSIGNED : assignmentOf(share);
    targets.set(memberId, isSameAssignment(assignment, assigned) ? assignment : assigned);
  }
  return targets;
}

function specOf(member: AssignedMember, topics: TopicSizes): MemberSpec {
  const { instanceId, assignment } = member;
  const byName = new JavaHashMap<string, true>(stringHash, capacityOfCopy(member.topicNames.length));
  for (const name of member.topicNames) byName.set(name, true);
  const matched = member.matchedNames.filter((name) => !byName.has(name));
  const topicIds = [...byName.keys(), ...matched].flatMap((name) => topics.get(name)?.id ?? []);
  return { instanceId, topicIds, assignment };
}
