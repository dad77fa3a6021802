import type { Clock } from '../../core/clock.ts';
import type { Transport } from '../../core/network/transport.ts';
import { UsageError } from '../../errors.ts';
import type { MemoryNetwork } from '../simulation/memory-network.ts';
import type { ClusterEvent } from './cluster-event.ts';
import type { Fault, FaultOptions } from './faults/fault-rule.ts';
import type { FaultTable } from './faults/fault-table.ts';
import type { CommittedOffset } from './groups/committed-offsets.ts';
import type { GroupState } from './groups/group-types.ts';
import { dumpGroup, dumpPartition, dumpRecords, dumpTransaction } from './inspect.ts';
import type { DumpedGroup, DumpedPartition, DumpedRecord, DumpedTransaction } from './inspect.ts';
import { compactTopic, deleteRecords, holdReplication, loseUnreplicated, putOutOfSync } from './log-acts.ts';
import type { CrashOptions } from './log-acts.ts';
import type { BrokerNode } from './network/broker-node.ts';
import type { TopicOptions } from './options.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';
import { snapshotCluster } from './state/cluster-snapshot.ts';
import type { ClusterState } from './state/cluster-state.ts';
import { NO_LEADER } from './state/partition.ts';
import type { Partition } from './state/partition.ts';
import type { Topic } from './state/topic.ts';
import { createTopic } from './topics.ts';

/** What a box is made of. */
export interface BoxParts {
  readonly cluster: ClusterState;
  readonly nodes: readonly BrokerNode[];
  /** Makes one more node; it is one of `nodes` at once. */
  readonly addNode: () => BrokerNode;
  /** It is one of `nodes` no more. */
  readonly removeNode: (node: BrokerNode) => void;
  readonly faults: FaultTable;
  readonly log: RequestLog;
  readonly transport: Transport;
  readonly network: MemoryNetwork | undefined;
  readonly errors: readonly unknown[];
}

const DEFAULT_WAIT_MS = 30_000;

/** A running cluster in this process: its address, its faults, acts upon it, and a look inside. */
export class BrokerBox implements AsyncDisposable {
  /** Reaches the cluster: TCP, or its in-memory network. */
  readonly transport: Transport;
  /** The in-memory network, to cut it or make it silent; undefined over TCP. */
  readonly network: MemoryNetwork | undefined;
  readonly clock: Clock;
  /** What this broker threw instead of answering; empty unless it has a bug. */
  readonly internalErrors: readonly unknown[];
  readonly #cluster: ClusterState;
  readonly #nodes: readonly BrokerNode[];
  readonly #addNode: () => BrokerNode;
  readonly #removeNode: (node: BrokerNode) => void;
  readonly #faults: FaultTable;
  readonly #log: RequestLog;

  constructor(parts: BoxParts) {
    this.transport = parts.transport;
    this.network = parts.network;
    this.clock = parts.cluster.clock;
    this.internalErrors = parts.errors;
    this.#cluster = parts.cluster;
    this.#nodes = parts.nodes;
    this.#addNode = parts.addNode;
    this.#removeNode = parts.removeNode;
    this.#faults = parts.faults;
    this.#log = parts.log;
  }

  /** `host:port` of every node, in the order of their ids; for `new Kafka({ brokers: box.bootstrap })`. */
  get bootstrap(): string[] {
    return this.#cluster.nodes.map((node) => `${node.host}:${node.port}`);
  }

  /** Puts a fault rule in force. */
  fault(options: FaultOptions): Fault {
    return this.#faults.add(options);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** Calls `watcher` for each batch appended and each offset committed, at the moment it is done; the function returned stops that. */
  watch(watcher: (event: ClusterEvent) => void): () => void {
    return this.#cluster.watch(watcher);
  }

  /** The last requests, oldest first; of one API when it is named. */
  requests(api?: string): LoggedRequest[] {
    const entries = this.#log.entries();
    return api === undefined ? entries : entries.filter((entry) => entry.api === api);
  }

  /** Requests since the start. */
  get requestCount(): number {
    return this.#log.total;
  }

  /** Open connections, of one node or of all. */
  connections(node?: number): number {
    return this.#select(node).reduce((sum, one) => sum + one.connections, 0);
  }

  /** @throws UsageError when Kafka would refuse the topic. */
  createTopic(name: string, options: number | TopicOptions = {}): void {
    createTopic(this.#cluster, name, options);
  }

  deleteTopic(name: string): void {
    this.#cluster.topics.delete(this.#topic(name));
  }

  /** The topic is deleted and made again at once under the same name: new id, empty, without commits. */
  recreateTopic(name: string): void {
    this.#cluster.topics.recreate(this.#topic(name));
  }

  /** Adds partitions until the topic has `count`. */
  expandPartitions(name: string, count: number): void {
    const topic = this.#topic(name);
    this.#cluster.topics.grow(topic, count, topic.partitions[0]!.replicas.length);
  }

  topics(): string[] {
    return Array.from(this.#cluster.topics.all(), (topic) => topic.name);
  }

  topicId(name: string): string {
    return this.#topic(name).id;
  }

  /** Another node leads the partition from now on, under a new leader epoch; by default the next one that is up. Returns its id. */
  moveLeader(topic: string, partition: number, to?: number): number {
    const found = this.#partition(topic, partition);
    const leader = to ?? this.#nextUp(found.leader);
    if (this.#cluster.node(leader)?.isUp !== true)
      throw new UsageError(`moveLeader: node ${leader} is not up`, 'to');
    if (!found.replicas.includes(leader)) found.replicas = [...found.replicas, leader];
    found.isHeldLeaderless = false;
    found.elect(leader);
    return leader;
  }

  /** Nobody leads the partition until `moveLeader`. */
  leaderless(topic: string, partition: number): void {
    const found = this.#partition(topic, partition);
    found.isHeldLeaderless = true;
    found.elect(NO_LEADER);
  }

  leaderOf(topic: string, partition: number): number {
    return this.#partition(topic, partition).leader;
  }

  /** Every group moves to the next node. */
  rehashCoordinators(): void {
    this.#cluster.rehashCoordinators();
  }

  /**
   * The topic has a new id and keeps its records, as if it had been made again and filled with the same: clients that go by id are told
   * UNKNOWN_TOPIC_ID. Returns the id.
   */
  bumpTopicId(name: string): string {
    return this.#cluster.topics.giveNewId(this.#topic(name));
  }

  /** Metadata does not show the topic any more (`false`: again), although it can be written and read. */
  hideFromMetadata(name: string, isHidden = true): void {
    this.#topic(name).isHidden = isHidden;
  }

  /** The node that coordinates the group, -1 when none is up. */
  coordinatorOf(groupId: string): number {
    return this.#cluster.coordinatorOf(groupId)?.id ?? -1;
  }

  /** Stops a node: its connections close, its partitions and groups go to others that are up. */
  async stop(node: number): Promise<void> {
    const found = this.#node(node);
    this.#cluster.nodeStopped(found.node);
    await found.stop();
  }

  /**
   * A node dies: its connections break, and what its followers had not fetched is gone when one of them leads. Followers fetch at once
   * unless `holdReplication` says otherwise; with `loseUnreplicated` they lack the last so many records of each partition all the same,
   * but nothing that a producer with acks=all was told is there, unless the election is `unclean`.
   */
  async crash(node: number, options: CrashOptions = {}): Promise<void> {
    const found = this.#node(node);
    loseUnreplicated(this.#cluster, node, options);
    this.#cluster.nodeStopped(found.node);
    found.dropConnections(true);
    await found.stop();
  }

  /** The followers of a partition fetch nothing more until the function returned is called: its high watermark stays, acks=all waits. */
  holdReplication(topic: string, partition: number): () => void {
    return holdReplication(this.#partition(topic, partition));
  }

  /** A follower is not in sync until the function returned is called: it counts for no `min.insync.replicas`, and leads only in an unclean election. */
  putOutOfSync(topic: string, partition: number, node: number): () => void {
    return putOutOfSync(this.#partition(topic, partition), node);
  }

  /** Coordinators write no markers for this transactional id (for any, without one) until the function returned is called. */
  stallTransactions(transactionalId?: string): () => void {
    return this.#cluster.transactions.markers.stall(transactionalId);
  }

  /** What the coordinator knows of a transactional id. */
  transaction(transactionalId: string): DumpedTransaction | undefined {
    const transaction = this.#cluster.transactions.get(transactionalId);
    return transaction === undefined ? undefined : dumpTransaction(transaction);
  }

  /**
   * Compacts all partitions of a topic now, up to their last stable offsets: the last record of each key stays, at its offset. Tombstones
   * go in a later compaction, `delete.retention.ms` on.
   * @throws UsageError when the topic's `cleanup.policy` does not have `compact`.
   */
  compact(topic: string): Promise<void> {
    return compactTopic(this.#cluster, this.#topic(topic));
  }

  /** Starts a stopped node again, on the same port. */
  async start(node: number): Promise<void> {
    const found = this.#node(node);
    if (found.node.isUp) return;
    await found.start();
    this.#cluster.nodeStarted(found.node);
  }

  /** Starts one more node and returns its id. It leads nothing yet; groups that it coordinates now move there. */
  async addNode(): Promise<number> {
    const added = this.#addNode();
    await added.start();
    this.#cluster.nodeAdded(added.node);
    return added.node.id;
  }

  /**
   * Takes a node out of the cluster for good: other nodes get its replicas, partitions and groups, and nothing is lost.
   * @throws UsageError for the last node.
   */
  async removeNode(node: number): Promise<void> {
    const found = this.#node(node);
    if (this.#nodes.length === 1) throw new UsageError('removeNode: the cluster has no other node', 'node');
    this.#cluster.nodeRemoved(found.node);
    this.#removeNode(found);
    await found.stop();
  }

  /** Closes the connections of one node or of all; `reset` breaks them with a reset. */
  dropConnections(node?: number, options: { readonly reset?: boolean } = {}): void {
    for (const one of this.#select(node)) one.dropConnections(options.reset === true);
  }

  /**
   * Deletes the records of a partition before an offset, as DeleteRecords does; returns the offset at which the partition begins now.
   * @throws UsageError for an offset beyond the high watermark.
   */
  deleteRecords(topic: string, partition: number, before: number): number {
    return deleteRecords(this.#partition(topic, partition), before);
  }

  /** Every record of a partition. */
  records(topic: string, partition: number): Promise<DumpedRecord[]> {
    return dumpRecords(this.#partition(topic, partition));
  }

  partition(topic: string, partition: number): DumpedPartition {
    return dumpPartition(this.#partition(topic, partition));
  }

  group(groupId: string): DumpedGroup | undefined {
    const group = this.#cluster.groups.get(groupId);
    return group === undefined ? undefined : dumpGroup(group, this.#cluster.topics);
  }

  committed(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#cluster.groups.get(groupId)?.offsets.get(topic, partition);
  }

  /** Resolves when the group is as asked for (a state, or a condition); rejects after `limitMs` of the cluster's clock. */
  waitForGroup(
    groupId: string,
    condition: GroupState | ((group: DumpedGroup) => boolean),
    limitMs = DEFAULT_WAIT_MS,
  ): Promise<DumpedGroup> {
    const holds =
      typeof condition === 'string' ? (group: DumpedGroup) => group.state === condition : condition;
    return new Promise((resolve, reject) => {
      const look = (changed: string): void => {
        const group = changed === groupId ? this.group(groupId) : undefined;
        if (group === undefined || !holds(group)) return;
        stop();
        resolve(group);
      };
      const timer = this.clock.setTimeout(() => {
        stop();
        const state = this.group(groupId)?.state ?? 'unknown';
        reject(
          new UsageError(
            `waitForGroup(${groupId}): not as asked for within ${limitMs} ms; its state is ${state}`,
          ),
        );
      }, limitMs);
      const unwatch = this.#cluster.groups.watch(look);
      const stop = (): void => {
        timer.cancel();
        unwatch();
      };
      look(groupId);
    });
  }

  /**
   * All that the cluster keeps when its nodes stop: topics, records, commits, members, transactions, ids; for `createBroker({ restore })`, in
   * this process or another one of the same Node version. No passwords.
   */
  snapshot(): Uint8Array {
    return snapshotCluster(this.#cluster);
  }

  /** Stops all nodes and timers. */
  async close(): Promise<void> {
    this.#cluster.groups.close();
    this.#cluster.transactions.close();
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #select(node: number | undefined): readonly BrokerNode[] {
    return node === undefined ? this.#nodes : [this.#node(node)];
  }

  #node(id: number): BrokerNode {
    const node = this.#nodes.find((one) => one.node.id === id);
    if (node === undefined)
      throw new UsageError(`There is no node ${id}; the cluster has ${this.#nodes.length}`, 'node');
    return node;
  }

  #nextUp(after: number): number {
    const up = this.#cluster.upNodes();
    return (up.find((node) => node.id > after) ?? up[0])?.id ?? NO_LEADER;
  }

  #topic(name: string): Topic {
    const topic = this.#cluster.topics.get(name);
    if (topic === undefined) throw new UsageError(`There is no topic '${name}' in the box`, 'topic');
    return topic;
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#topic(topic).partitions[index];
    if (partition === undefined)
      throw new UsageError(`There is no partition ${topic}-${index} in the box`, 'partition');
    return partition;
  }
}
