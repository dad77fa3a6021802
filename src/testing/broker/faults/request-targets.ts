import type { TopicRegistry } from '../state/topic-registry.ts';

/** What a request is about. */
export interface RequestTargets {
  readonly groups: readonly string[];
  /** Partitions by topic name; none for requests that name whole topics. */
  readonly topics: ReadonlyMap<string, readonly number[]>;
}

/** The fields in which requests name things; each API uses some of them. */
interface LooseBody {
  readonly groupId?: string;
  readonly key?: string;
  readonly coordinatorKeys?: readonly string[];
  readonly groupsNames?: readonly string[];
  readonly groups?: readonly (string | LooseGroup)[];
  readonly topics?: readonly (LooseTopic | string)[] | null;
  readonly topicData?: readonly LooseTopic[];
  readonly topicNames?: readonly string[];
}

interface LooseGroup {
  readonly groupId: string;
  readonly topics?: readonly LooseTopic[] | null;
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

/** The groups, topics and partitions that a decoded request of any API names. */
export function targetsOf(body: unknown, topics: TopicRegistry): RequestTargets {
  const loose = body as LooseBody;
  const groups: string[] = [...(loose.coordinatorKeys ?? []), ...(loose.groupsNames ?? [])];
  const byTopic = new Map<string, number[]>();
  const add = (topic: LooseTopic | string): void => addTopic(byTopic, topic, topics);
  if (loose.groupId !== undefined && loose.groupId !== '') groups.push(loose.groupId);
  if (loose.key !== undefined && loose.key !== '') groups.push(loose.key);
  for (const group of loose.groups ?? []) {
    groups.push(typeof group === 'string' ? group : group.groupId);
    if (typeof group !== 'string') group.topics?.forEach(add);
  }
  loose.topicNames?.forEach(add);
  loose.topicData?.forEach(add);
  loose.topics?.forEach(add);
  return { groups, topics: byTopic };
}

function addTopic(byTopic: Map<string, number[]>, topic: LooseTopic | string, topics: TopicRegistry): void {
  const name = typeof topic === 'string' ? topic : nameOf(topic, topics);
  const partitions = byTopic.get(name) ?? [];
  byTopic.set(name, partitions);
  if (typeof topic === 'string') return;
  partitions.push(...(topic.partitionIndexes ?? []));
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
