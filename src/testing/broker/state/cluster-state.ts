import type { Clock, Random } from '../../../core/clock.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import { GroupCoordinator } from '../groups/group-coordinator.ts';
import { LogMemory } from '../log/log-memory.ts';
import type { ClusterSettings } from '../options.ts';
import { TransactionCoordinator } from '../txn/transaction-coordinator.ts';
import type { ScramCredential, ScramMechanism } from '../security/scram-credential.ts';
import { ClientQuotas } from './client-quotas.ts';
import { Features } from './features.ts';
import { GroupConfigs } from './group-configs.ts';
import type { FetchSessionCache } from './fetch-sessions.ts';
import { hashOf, randomUuid } from './ids.ts';
import { NO_LEADER } from './partition.ts';
import type { Partition } from './partition.ts';
import { TopicRegistry } from './topic-registry.ts';

/** One broker of the cluster as the others and the clients know it. */
export interface NodeState {
  readonly id: number;
  readonly host: string;
  port: number;
  /** Where it stands; null when nobody said. */
  readonly rack: string | null;
  readonly fetchSessions: FetchSessionCache;
  isUp: boolean;
}

/** Names and numbers that a cluster keeps over a restart. */
export interface ClusterIds {
  readonly clusterId: string;
  readonly nextProducerId: number;
  readonly coordinatorSalt: number;
}

/** What the parts of the cluster are given. */
export interface ClusterEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClusterSettings;
}

/** All state of the cluster; the connections only carry requests to it. */
export class ClusterState {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClusterSettings;
  readonly features: Features;
  clusterId: string;
  readonly nodes: NodeState[] = [];
  /** Configurations of brokers that were changed, by node id; '' is for all. */
  readonly brokerConfigs = new Map<string, ReadonlyMap<string, string>>();
  /** The memory of all logs, and its bound. */
  readonly logMemory: LogMemory;
  readonly topics: TopicRegistry;
  readonly groupConfigs: GroupConfigs;
  readonly groups: GroupCoordinator;
  readonly quotas: ClientQuotas;
  /** SCRAM credentials that clients have set, by user and mechanism; undefined for one that was removed. */
  readonly scramUsers = new Map<string, Map<ScramMechanism, ScramCredential | undefined>>();
  readonly transactions: TransactionCoordinator;
  readonly #watchers = new Set<(event: ClusterEvent) => void>();
  #nextProducerId = 1000;
  #coordinatorSalt = 0;

  constructor(environment: ClusterEnvironment) {
    this.clock = environment.clock;
    this.random = environment.random;
    this.settings = environment.settings;
    this.features = new Features(environment.settings.features);
    this.clusterId = randomUuid(environment.random);
    this.logMemory = new LogMemory(environment.settings.maxLogBytes, environment.settings.whenLogsFull);
    this.quotas = new ClientQuotas(environment.clock);
    this.topics = new TopicRegistry(this);
    this.groupConfigs = new GroupConfigs(environment.settings.group);
    this.groups = new GroupCoordinator(environment, this.topics, this.groupConfigs);
    this.transactions = new TransactionCoordinator(this);
  }

  /** Calls `watcher` for everything the cluster does from now on; the function returned stops that. */
  watch(watcher: (event: ClusterEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Somebody wants to be told what happens. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  tell(event: ClusterEvent): void {
    for (const watcher of [...this.#watchers]) watcher(event);
  }

  node(id: number): NodeState | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  upNodes(): NodeState[] {
    return this.nodes.filter((node) => node.isUp);
  }

  /** The node that clients are told is the controller: the first that is up, -1 when none is. */
  get controllerId(): number {
    return this.upNodes()[0]?.id ?? -1;
  }

  /** What names and numbers are drawn from. */
  ids(): ClusterIds {
    const { clusterId } = this;
    return { clusterId, nextProducerId: this.#nextProducerId, coordinatorSalt: this.#coordinatorSalt };
  }

  takeIds(ids: ClusterIds): void {
    this.clusterId = ids.clusterId;
    this.#nextProducerId = ids.nextProducerId;
    this.#coordinatorSalt = ids.coordinatorSalt;
  }

  takeProducerId(): number {
    return this.#nextProducerId++;
  }

  /** The replicas of a partition that have all of its log. */
  inSyncReplicas(partition: Partition): number[] {
    return partition.replicas.filter((id) => this.node(id)?.isUp === true && !partition.laggards.has(id));
  }

  /** The node that coordinates a group (or a transactional id), undefined while no node is up. */
  coordinatorOf(key: string): NodeState | undefined {
    const { nodes } = this;
    const first = (hashOf(key) + this.#coordinatorSalt) % nodes.length;
    for (let step = 0; step < nodes.length; step++) {
      const node = nodes[(first + step) % nodes.length]!;
      if (node.isUp) return node;
    }
    return undefined;
  }

  /** Every group moves to the next node; joins and syncs that wait are sent there. */
  rehashCoordinators(): void {
    this.#coordinatorSalt++;
    this.transactions.markers.coordinatorEpoch++;
    this.groups.moveAll(() => true);
  }

  nodeStopped(stopped: NodeState): void {
    this.#moveGroups(() => {
      stopped.isUp = false;
      this.transactions.markers.coordinatorEpoch++;
    });
    stopped.fetchSessions.clear();
    for (const partition of this.topics.partitions()) {
      if (partition.leader === stopped.id) partition.elect(this.#successorOf(partition));
    }
  }

  nodeStarted(started: NodeState): void {
    this.#moveGroups(() => {
      started.isUp = true;
    });
    for (const partition of this.topics.partitions()) {
      const isWaiting = partition.leader === NO_LEADER && !partition.isHeldLeaderless;
      if (isWaiting && this.#mayLead(partition, started.id)) partition.elect(started.id);
    }
  }

  /** A node is gone for good; others have its replicas now, as far as there are others. */
  nodeRemoved(removed: NodeState): void {
    const others = this.upNodes().filter((node) => node !== removed);
    for (const partition of this.topics.partitions()) {
      if (!partition.replicas.includes(removed.id)) continue;
      const kept = partition.replicas.filter((id) => id !== removed.id);
      const standIn = others.find(({ id }) => !kept.includes(id));
      partition.replicas = standIn === undefined ? kept : [...kept, standIn.id];
      partition.laggards.delete(removed.id);
    }
    this.nodeStopped(removed);
    this.#moveGroups(() => {
      this.nodes.splice(this.nodes.indexOf(removed), 1);
    });
  }

  /** Partitions without a leader get one where a replica is up, unless an act holds them so. */
  electMissing(): void {
    for (const partition of this.topics.partitions()) {
      if (partition.leader === NO_LEADER && !partition.isHeldLeaderless) {
        const leader = this.#successorOf(partition);
        if (leader !== NO_LEADER) partition.elect(leader);
      }
    }
  }

  nodeAdded(added: NodeState): void {
    this.#moveGroups(() => {
      this.nodes.push(added);
    });
  }

  /** Groups whose coordinator is another one after the change are sent there. */
  #moveGroups(change: () => void): void {
    const before = new Map(Array.from(this.groups.ids(), (id) => [id, this.coordinatorOf(id)]));
    change();
    this.groups.moveAll((id) => before.get(id) !== this.coordinatorOf(id));
  }

  #successorOf(partition: Partition): number {
    return partition.replicas.find((id) => this.#mayLead(partition, id)) ?? NO_LEADER;
  }

  /** A replica that is out of sync leads only where unclean elections are allowed. */
  #mayLead(partition: Partition, id: number): boolean {
    if (!partition.replicas.includes(id) || this.node(id)?.isUp !== true) return false;
    if (!partition.laggards.has(id)) return true;
    return this.topics.get(partition.topic)?.config.isUncleanElectionAllowed === true;
  }
}
