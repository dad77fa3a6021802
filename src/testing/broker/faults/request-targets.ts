import type { FetchSessionCache } from '../state/fetch-sessions.ts';
import type { TopicRegistry } from '../state/topic-registry.ts';

/** What a request is about. */
export interface RequestTargets {
  readonly groups: readonly string[];
  readonly transactionalIds: readonly string[];
  /** Partitions by topic name; none for requests that name whole topics. */
  readonly topics: ReadonlyMap<string, readonly number[]>;
}

/** Where names are looked up that a request does not spell out. */
export interface TargetScope {
  readonly topics: TopicRegistry;
  readonly fetchSessions: FetchSessionCache;
}

/** The fields in which requests name things; each API uses some of them. */
interface LooseBody {
  readonly groupId?: string;
  readonly key?: string;
  readonly keyType?: number;
  readonly coordinatorKeys?: readonly string[];
  readonly groupsNames?: readonly string[];
  readonly groupIds?: readonly string[];
  readonly groups?: readonly (string | LooseGroup)[];
  readonly topics?: readonly (LooseTopic | string)[] | null;
  readonly topicData?: readonly LooseTopic[];
  readonly topicNames?: readonly string[];
  readonly topicPartitions?: readonly LooseTopic[] | null;
  readonly resources?: readonly { readonly resourceType: number; readonly resourceName: string }[];
  readonly transactionalId?: string | null;
  readonly transactionalIds?: readonly string[];
  readonly v3AndBelowTransactionalId?: string;
  readonly v3AndBelowTopics?: readonly LooseTopic[];
  readonly transactions?: readonly LooseTransaction[];
  readonly markers?: readonly LooseTransaction[];
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

interface LooseGroup {
  readonly groupId: string;
  readonly topics?: readonly LooseTopic[] | null;
}

interface LooseTransaction {
  readonly transactionalId?: string;
  readonly topics?: readonly LooseTopic[];
}

interface LooseTopic {
  readonly name?: string | null;
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions?: readonly (number | LoosePartition)[];
  readonly partitionData?: readonly LoosePartition[];
  readonly partitionIndexes?: readonly number[];
}

interface LoosePartition {
  readonly index?: number;
  readonly partition?: number;
  readonly partitionIndex?: number;
}

const TRANSACTION_KEY = 1;
const TOPIC_RESOURCE = 2;

/** The groups, transactional ids, topics and partitions that a decoded request of any API is about. */
export function targetsOf(body: unknown, scope: TargetScope): RequestTargets {
  const loose = body as LooseBody;
  const byTopic = new Map<string, number[]>();
  const add = (topic: LooseTopic | string): void => addTopic(byTopic, topic, scope.topics);
  for (const group of loose.groups ?? []) if (typeof group !== 'string') group.topics?.forEach(add);
  for (const { topics } of [...(loose.transactions ?? []), ...(loose.markers ?? [])]) topics?.forEach(add);
  for (const { resourceType, resourceName } of loose.resources ?? []) {
    if (resourceType === TOPIC_RESOURCE) add(resourceName);
  }
  const { topicNames, topicData, topics, topicPartitions, v3AndBelowTopics } = loose;
  for (const list of [topicNames, topicData, topics, topicPartitions, v3AndBelowTopics]) list?.forEach(add);
  sessionOf(loose, scope).forEach(add);
  return { groups: groupsOf(loose), transactionalIds: transactionalIdsOf(loose), topics: byTopic };
}

function groupsOf(loose: LooseBody): string[] {
  const keys = loose.keyType === TRANSACTION_KEY ? [] : [loose.key, ...(loose.coordinatorKeys ?? [])];
  const named = (loose.groups ?? []).map((group) => (typeof group === 'string' ? group : group.groupId));
  return present([loose.groupId, ...keys, ...named, ...(loose.groupsNames ?? []), ...(loose.groupIds ?? [])]);
}

function transactionalIdsOf(loose: LooseBody): string[] {
  const keys = loose.keyType === TRANSACTION_KEY ? [loose.key, ...(loose.coordinatorKeys ?? [])] : [];
  const batched = (loose.transactions ?? []).map(({ transactionalId }) => transactionalId);
  const { transactionalId, transactionalIds = [], v3AndBelowTransactionalId } = loose;
  return present([transactionalId, v3AndBelowTransactionalId, ...keys, ...batched, ...transactionalIds]);
}

function present(names: readonly (string | null | undefined)[]): string[] {
  return names.filter((name): name is string => name !== undefined && name !== null && name !== '');
}

/** What an incremental fetch is about besides what it names. */
function sessionOf(loose: LooseBody, scope: TargetScope): LooseTopic[] {
  if (loose.sessionId === undefined || (loose.sessionEpoch ?? 0) <= 0) return [];
  const session = scope.fetchSessions.get(loose.sessionId);
  return (session?.partitions() ?? []).map(({ target }) => ({ ...target, partitions: [target.partition] }));
}

function addTopic(byTopic: Map<string, number[]>, topic: LooseTopic | string, topics: TopicRegistry): void {
  const name = typeof topic === 'string' ? topic : nameOf(topic, topics);
  const partitions = byTopic.get(name) ?? [];
  byTopic.set(name, partitions);
  if (typeof topic === 'string') return;
  for (const index of topic.partitionIndexes ?? []) partitions.push(index);
  for (const partition of topic.partitionData ?? topic.partitions ?? []) partitions.push(indexOf(partition));
}

function nameOf(topic: LooseTopic, topics: TopicRegistry): string {
  const name = topic.name ?? topic.topic ?? '';
  return name !== '' ? name : (topics.byId(topic.topicId ?? '')?.name ?? '');
}

function indexOf(partition: number | LoosePartition): number {
  if (typeof partition === 'number') return partition;
  return partition.index ?? partition.partition ?? partition.partitionIndex ?? -1;
}
