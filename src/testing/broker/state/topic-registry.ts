import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { Refusal } from '../log/check-batch.ts';
import type { ClusterState } from './cluster-state.ts';
import { randomUuid } from './ids.ts';
import { NO_LEADER, Partition } from './partition.ts';
import { TopicConfig } from './topic-config.ts';
import { restorePartition } from './topic-snapshot.ts';
import type { TopicSnapshot } from './topic-snapshot.ts';
import { closeTopic, topicNameProblem } from './topic.ts';
import type { Topic } from './topic.ts';

/** What a CreateTopics request says of one topic; -1 asks for the cluster's default. */
export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Replicas per partition, in the partitions' order; then both numbers must be -1. */
  readonly assignments?: readonly (readonly number[])[] | undefined;
  readonly configs?: ReadonlyMap<string, string> | undefined;
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();
const MAX_PARTITIONS = 10_000;
const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__share_group_state',
  '__transaction_state',
]);

const refuse = (code: number, message: string): Refusal => ({ code, message });

/** The cluster's topics by name and id. */
export class TopicRegistry {
  readonly #cluster: ClusterState;
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<string, Topic>();
  #partitionCount = 0;
  /** Topics ever created. */
  created = 0;
  /** Changes whenever a topic comes, goes or grows. */
  version = 0;

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Topic> {
    return this.#byName.values();
  }

  *partitions(): Iterable<Partition> {
    for (const topic of this.#byName.values()) yield* topic.partitions;
  }

  /** What forbids this topic, undefined when nothing does. */
  check(topic: NewTopic): Refusal | undefined {
    const problem = topicNameProblem(topic.name);
    if (problem !== undefined) return refuse(ERRORS.INVALID_TOPIC_EXCEPTION, problem);
    if (this.#byName.has(topic.name))
      return refuse(ERRORS.TOPIC_ALREADY_EXISTS, `Topic '${topic.name}' already exists.`);
    const configProblem = TopicConfig.problem(topic.configs ?? NO_CONFIGS);
    if (configProblem !== undefined) return refuse(ERRORS.INVALID_CONFIG, configProblem);
    const hasAssignments = topic.assignments !== undefined && topic.assignments.length > 0;
    const refusal = hasAssignments ? this.#checkAssignments(topic) : this.#checkNumbers(topic);
    if (refusal !== undefined) return refusal;
    return this.checkRoom(hasAssignments ? topic.assignments.length : Math.max(1, topic.partitions));
  }

  /** What forbids so many partitions more, undefined when there is room for them. */
  checkRoom(partitions: number): Refusal | undefined {
    const { maxPartitions } = this.#cluster.settings;
    if (this.#partitionCount + partitions <= maxPartitions) return undefined;
    const message = `The cluster has ${this.#partitionCount} partitions and takes at most ${maxPartitions}.`;
    return refuse(ERRORS.POLICY_VIOLATION, message);
  }

  create(spec: NewTopic): Topic | Refusal {
    const refusal = this.check(spec);
    if (refusal !== undefined) return refusal;
    const topic: Topic = {
      name: spec.name,
      id: randomUuid(this.#cluster.random),
      config: new TopicConfig(spec.configs ?? NO_CONFIGS),
      partitions: [],
      isInternal: INTERNAL_TOPICS.has(spec.name),
      isHidden: false,
    };
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.id, topic);
    this.created++;
    this.version++;
    if (spec.assignments !== undefined && spec.assignments.length > 0) {
      for (const replicas of spec.assignments) this.#addPartition(topic, replicas);
    } else {
      const { settings } = this.#cluster;
      const count = spec.partitions < 0 ? settings.defaultPartitions : spec.partitions;
      const factor = spec.replicationFactor < 0 ? settings.defaultReplicationFactor : spec.replicationFactor;
      this.grow(topic, count, factor);
    }
    return topic;
  }

  /** Adds partitions until there are `count`. */
  grow(topic: Topic, count: number, replicationFactor: number): void {
    const { nodes } = this.#cluster;
    while (topic.partitions.length < count) {
      const first = topic.partitions.length;
      const replicas = Array.from(
        { length: replicationFactor },
        (_, at) => nodes[(first + at) % nodes.length]!.id,
      );
      this.#addPartition(topic, replicas);
    }
  }

  /** Adds a partition with these replicas for each element. */
  growBy(topic: Topic, assignments: readonly (readonly number[])[]): void {
    for (const replicas of assignments) this.#addPartition(topic, replicas);
  }

  /** What forbids these replicas, undefined when nothing does. */
  checkReplicas(replicas: readonly number[]): Refusal | undefined {
    const isKnown = replicas.every((id) => this.#cluster.node(id) !== undefined);
    if (replicas.length > 0 && isKnown && new Set(replicas).size === replicas.length) return undefined;
    return refuse(
      ERRORS.INVALID_REPLICA_ASSIGNMENT,
      `The manual partition assignment [${replicas.join(', ')}] names no broker, one twice, or one that does not exist.`,
    );
  }

  /** Removes a topic and all groups' commits for it. */
  delete(topic: Topic): void {
    this.version++;
    this.#partitionCount -= topic.partitions.length;
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.id);
    this.#cluster.groups.forgetTopic(topic.name);
    closeTopic(topic);
  }

  /** The topic is a new one under the same name: new id, empty logs, epochs from 0. */
  recreate(topic: Topic): Topic {
    const assignments = topic.partitions.map((partition) => partition.replicas);
    this.delete(topic);
    const created = this.create({
      name: topic.name,
      partitions: -1,
      replicationFactor: -1,
      assignments,
      configs: topic.config.entries,
    });
    return created as Topic;
  }

  /** The same topic under a new id. */
  giveNewId(topic: Topic): string {
    this.#byId.delete(topic.id);
    topic.id = randomUuid(this.#cluster.random);
    this.#byId.set(topic.id, topic);
    for (const partition of topic.partitions) partition.wake();
    return topic.id;
  }

  /** Makes the topic anew that a snapshot is of. */
  restore(from: TopicSnapshot): void {
    const topic: Topic = {
      name: from.name,
      id: from.id,
      config: new TopicConfig(from.configs),
      partitions: [],
      isInternal: INTERNAL_TOPICS.has(from.name),
      isHidden: from.isHidden,
    };
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.id, topic);
    this.created++;
    for (const partition of from.partitions) {
      this.#addPartition(topic, partition.replicas, partition.leader);
      restorePartition(topic.partitions.at(-1)!, partition);
    }
  }

  #addPartition(
    topic: Topic,
    replicas: readonly number[],
    leader: number = replicas.find((id) => this.#cluster.node(id)?.isUp === true) ?? NO_LEADER,
  ): void {
    const { logMemory: memory } = this.#cluster;
    this.version++;
    this.#partitionCount++;
    topic.partitions.push(
      new Partition({ topic: topic.name, index: topic.partitions.length, replicas, leader, memory }),
    );
  }

  #checkNumbers(topic: NewTopic): Refusal | undefined {
    if (topic.partitions === 0 || topic.partitions < -1 || topic.partitions > MAX_PARTITIONS) {
      return refuse(
        ERRORS.INVALID_PARTITIONS,
        'Number of partitions was set to an invalid non-positive or too large value.',
      );
    }
    if (topic.replicationFactor === 0 || topic.replicationFactor < -1) {
      return refuse(
        ERRORS.INVALID_REPLICATION_FACTOR,
        'Replication factor must be larger than 0, or -1 to use the default value.',
      );
    }
    const nodes = this.#cluster.nodes.length;
    if (topic.replicationFactor > nodes) {
      const message = `Unable to replicate the partition ${topic.replicationFactor} time(s): The target replication factor of ${topic.replicationFactor} cannot be reached because only ${nodes} broker(s) are registered.`;
      return refuse(ERRORS.INVALID_REPLICATION_FACTOR, message);
    }
    return undefined;
  }

  #checkAssignments(topic: NewTopic): Refusal | undefined {
    if (topic.partitions !== -1 || topic.replicationFactor !== -1) {
      return refuse(
        ERRORS.INVALID_REQUEST,
        'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.',
      );
    }
    for (const replicas of topic.assignments ?? []) {
      const refusal = this.checkReplicas(replicas);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }
}
