// The metadata cache: what brokers answered, merged so that an older view never replaces a newer one.

import type { BrokerAddress } from '../network/transport.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import type { metadataApi } from '../protocol/messages/03-metadata.ts';
import { ZERO_UUID } from '../protocol/schema.ts';
import type { LeaderHint, LeaderInfo, MetadataCache, PartitionMetadata, TopicMetadata } from './metadata.ts';

export type MetadataResponse = ResponseOf<typeof metadataApi>;
type TopicRow = MetadataResponse['topics'][number];
type PartitionRow = TopicRow['partitions'][number];

/** A partition with the newest epoch known of it, also while it has no leader; -1 when the broker does not say. */
interface StoredPartition extends PartitionMetadata {
  readonly leaderEpoch: number;
}

interface StoredTopic extends TopicMetadata {
  readonly partitions: readonly StoredPartition[];
}

const NO_CONTROLLER = -1;

/** The view of one cluster. */
export class MetadataStore implements MetadataCache {
  /** The brokers that are alive, by node id. */
  readonly nodes = new Map<number, BrokerAddress>();
  /** -1 when unknown. */
  controllerId = NO_CONTROLLER;
  private readonly byName = new Map<string, StoredTopic>();
  private readonly byId = new Map<string, StoredTopic>();
  private readonly racks = new Map<number, string>();
  private readonly listeners = new Set<() => void>();
  /** Topics that existed at some time. */
  private readonly seen = new Set<string>();
  /** Topics looked up since {@link takeUsed} was last called. */
  private used = new Set<string>();

  topic(name: string): TopicMetadata | undefined {
    this.used.add(name);
    return this.byName.get(name);
  }

  topicById(id: string): TopicMetadata | undefined {
    const topic = this.byId.get(id);
    if (topic !== undefined) this.used.add(topic.name);
    return topic;
  }

  topics(): Iterable<TopicMetadata> {
    return this.byName.values();
  }

  leader(topic: string, partition: number): LeaderInfo | undefined {
    this.used.add(topic);
    const metadata = this.byName.get(topic);
    return metadata === undefined ? undefined : partitionOf(metadata, partition)?.leader;
  }

  rack(nodeId: number): string | undefined {
    return this.racks.get(nodeId);
  }

  onChange(listener: () => void): () => void {
    // Wrapped, so that one function registered twice is two registrations.
    const entry = (): void => {
      listener();
    };
    this.listeners.add(entry);
    return () => {
      this.listeners.delete(entry);
    };
  }

  updateLeader(topic: string, partition: number, hint: LeaderHint): void {
    const known = this.byName.get(topic);
    const row = known === undefined ? undefined : partitionOf(known, partition);
    if (hint.host !== undefined && hint.port !== undefined) this.learnNode(hint.nodeId, hint.host, hint.port);
    if (known === undefined || row === undefined || hint.nodeId < 0) return;
    const { nodeId, leaderEpoch } = hint;
    if (row.leaderEpoch > leaderEpoch || (row.leaderEpoch === leaderEpoch && row.leader !== undefined))
      return;
    const next = { ...row, errorCode: 0, leader: { nodeId, leaderEpoch }, leaderEpoch };
    const partitions = known.partitions.map((old) => (old === row ? next : old));
    this.put({ ...known, partitions });
    this.changed();
  }

  /** A broker named by an answer other than metadata. */
  learnNode(nodeId: number, host: string, port: number): void {
    this.nodes.set(nodeId, { host, port });
  }

  /** No broker is known any more; topics stay as they were. */
  forgetNodes(): void {
    this.nodes.clear();
    this.controllerId = NO_CONTROLLER;
  }

  /** True when the topic existed at some time: asking for it must not create it again once it is deleted. */
  wasSeen(name: string): boolean {
    return this.seen.has(name);
  }

  /** The topics that were looked up since the last call. */
  takeUsed(): ReadonlySet<string> {
    const used = this.used;
    this.used = new Set();
    return used;
  }

  forget(name: string): void {
    const topic = this.byName.get(name);
    if (topic === undefined) return;
    this.byName.delete(name);
    this.byId.delete(topic.id);
  }

  /** Takes an answer; `all` says that it names every topic of the cluster, so that what is missing in it is gone. */
  apply(response: MetadataResponse, all: boolean): void {
    let changed = this.applyNodes(response);
    const names = new Set<string>();
    for (const row of response.topics) {
      if (row.name === null) continue;
      names.add(row.name);
      changed = this.applyTopic(row.name, row) || changed;
    }
    if (all) {
      for (const topic of this.byName.values()) {
        if (names.has(topic.name) || topic.errorCode === ERRORS.UNKNOWN_TOPIC_OR_PARTITION) continue;
        this.put({ ...topic, id: ZERO_UUID, errorCode: ERRORS.UNKNOWN_TOPIC_OR_PARTITION, partitions: [] });
        changed = true;
      }
    }
    if (changed) this.changed();
  }

  private applyNodes(response: MetadataResponse): boolean {
    let changed = response.brokers.length !== this.nodes.size || response.controllerId !== this.controllerId;
    for (const { nodeId, host, port, rack } of response.brokers) {
      const known = this.nodes.get(nodeId);
      if (known?.host !== host || known.port !== port || rack !== (this.racks.get(nodeId) ?? null))
        changed = true;
      if (rack === null) this.racks.delete(nodeId);
      else this.racks.set(nodeId, rack);
    }
    this.controllerId = response.controllerId;
    if (!changed) return false;
    this.nodes.clear();
    for (const { nodeId, host, port } of response.brokers) this.learnNode(nodeId, host, port);
    return true;
  }

  private applyTopic(name: string, row: TopicRow): boolean {
    const known = this.byName.get(name);
    // A topic in error is described by its error alone; one that existed keeps its partitions while it is only unavailable.
    if (row.errorCode !== 0 && row.errorCode !== ERRORS.UNKNOWN_TOPIC_OR_PARTITION && known !== undefined) {
      if (known.errorCode === row.errorCode) return false;
      this.put({ ...known, errorCode: row.errorCode });
      return true;
    }
    if (row.errorCode === 0) this.seen.add(name);
    const sameTopic = known !== undefined && known.id === row.topicId;
    const partitions = row.partitions
      .map((partition) =>
        merged(partition, sameTopic ? partitionOf(known, partition.partitionIndex) : undefined),
      )
      .sort((a, b) => a.index - b.index);
    const { topicId: id, errorCode, isInternal } = row;
    if (sameTopic && known.errorCode === errorCode && same(known.partitions, partitions)) return false;
    this.put({ name, id, errorCode, isInternal, partitions });
    return true;
  }

  private put(topic: StoredTopic): void {
    const old = this.byName.get(topic.name);
    if (old !== undefined) this.byId.delete(old.id);
    this.byName.set(topic.name, topic);
    if (topic.id !== ZERO_UUID) this.byId.set(topic.id, topic);
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** The partition of that index; partitions are usually 0 to n-1. */
function partitionOf(topic: StoredTopic, index: number): StoredPartition | undefined {
  const row = topic.partitions[index];
  if (row?.index === index) return row;
  return topic.partitions.find((other) => other.index === index);
}

/** The row as metadata. Leadership only moves forward: a broker that lags behind does not take back a newer leader epoch. */
function merged(row: PartitionRow, known: StoredPartition | undefined): StoredPartition {
  if (known !== undefined && row.leaderEpoch !== -1 && row.leaderEpoch < known.leaderEpoch) return known;
  const leader = row.leaderId < 0 ? undefined : { nodeId: row.leaderId, leaderEpoch: row.leaderEpoch };
  const next: StoredPartition = {
    index: row.partitionIndex,
    errorCode: row.errorCode,
    leader,
    leaderEpoch: row.leaderEpoch,
    replicas: row.replicaNodes,
    isr: row.isrNodes,
  };
  return known !== undefined && samePartition(known, next) ? known : next;
}

function same(a: readonly StoredPartition[], b: readonly StoredPartition[]): boolean {
  return a.length === b.length && a.every((row, at) => row === b[at]);
}

function samePartition(a: StoredPartition, b: StoredPartition): boolean {
  return (
    a.errorCode === b.errorCode &&
    a.leader?.nodeId === b.leader?.nodeId &&
    a.leaderEpoch === b.leaderEpoch &&
    sameNumbers(a.replicas, b.replicas) &&
    sameNumbers(a.isr, b.isr)
  );
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
