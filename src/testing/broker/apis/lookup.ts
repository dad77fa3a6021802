import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import { NO_LEADER } from '../state/partition.ts';
import type { Partition } from '../state/partition.ts';
import type { Topic } from '../state/topic.ts';

/** A topic as a request names it: by name, or in later versions by id. */
export interface TopicReference {
  readonly name?: string | null;
  readonly topic?: string;
  readonly topicId?: string;
}

/** The topic named, or the error to answer with. `byId` says which of the two names counts in this version. */
export function findTopic(reference: TopicReference, byId: boolean, context: RequestContext): Topic | number {
  const { topics } = context.cluster;
  if (byId) return topics.byId(reference.topicId ?? '') ?? ERRORS.UNKNOWN_TOPIC_ID;
  return topics.get(reference.name ?? reference.topic ?? '') ?? ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
}

export interface PartitionReference {
  readonly index: number;
  /** What the client believes; -1 when it does not say. */
  readonly leaderEpoch?: number;
}

/** The partition that this node leads, or the error to answer with. Faults are applied first. */
export function findLed(
  topic: Topic | number,
  reference: PartitionReference,
  context: RequestContext,
): Partition | number {
  const injected = context.injected(typeof topic === 'number' ? undefined : topic.name, reference.index);
  if (injected !== ERRORS.NONE) return injected;
  if (typeof topic === 'number') return topic;
  const partition = topic.partitions[reference.index];
  if (partition === undefined) return ERRORS.UNKNOWN_TOPIC_OR_PARTITION;
  return partition.leadershipError(context.node.id, reference.leaderEpoch ?? -1) || partition;
}

const FOLLOWER_FETCH_FROM = 11;

/** As {@link findLed}, and also where this node follows: a consumer may read there (KIP-392). */
export function findReadable(
  topic: Topic | number,
  reference: PartitionReference,
  context: RequestContext,
): Partition | number {
  const found = findLed(topic, reference, context);
  const isElsewhere = found === ERRORS.NOT_LEADER_OR_FOLLOWER && typeof topic !== 'number';
  if (!isElsewhere || context.version < FOLLOWER_FETCH_FROM) return found;
  if (context.injected(topic.name, reference.index) !== ERRORS.NONE) return found;
  const partition = topic.partitions[reference.index]!;
  const isFollower = partition.leader !== NO_LEADER && partition.replicas.includes(context.node.id);
  return isFollower ? partition : found;
}

/** Who leads now, for clients that were sent away. */
export function currentLeader(
  topic: Topic | number,
  index: number,
): { leaderId: number; leaderEpoch: number } {
  const partition = typeof topic === 'number' ? undefined : topic.partitions[index];
  return { leaderId: partition?.leader ?? -1, leaderEpoch: partition?.leaderEpoch ?? -1 };
}

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Addresses of the leaders that answers of this request point to. */
export function endpointsOf(leaderIds: Iterable<number>, context: RequestContext): NodeEndpoint[] {
  const endpoints: NodeEndpoint[] = [];
  for (const id of new Set(leaderIds)) {
    const node = context.cluster.node(id);
    if (node !== undefined)
      endpoints.push({ nodeId: node.id, host: node.host, port: node.port, rack: node.rack });
  }
  return endpoints;
}

/** The error for a request about a group that came to this node, 0 when it coordinates the group. */
export function coordinatorError(groupId: string, context: RequestContext): number {
  const coordinator = context.cluster.coordinatorOf(groupId);
  return coordinator === context.node ? ERRORS.NONE : ERRORS.NOT_COORDINATOR;
}

/** The client's address, as Kafka shows it for members of groups. */
export function clientHostOf({ remote }: RequestContext): string {
  return `/${remote.slice(0, remote.lastIndexOf(':'))}`;
}
