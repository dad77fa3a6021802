import { encodeAssignment } from '../../core/protocol/consumer-protocol.ts';
import type { GroupState } from './groups/group-types.ts';
import type { CommittedOffset } from './groups/committed-offsets.ts';
import type { ClassicGroup } from './groups/classic/classic-group.ts';
import type { ConsumerGroup } from './groups/consumer/consumer-group.ts';
import type { Group } from './groups/group.ts';
import { readRecords } from './log/read-records.ts';
import type { Partition } from './state/partition.ts';
import type { Transaction } from './txn/transaction.ts';
import type { TransactionState } from './txn/transaction-state.ts';
import type { TopicRegistry } from './state/topic-registry.ts';

/** A record as it lies in the log, with what its batch says of its producer. */
export interface DumpedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
  readonly leaderEpoch: number;
  /** -1 without idempotence. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** The record's own sequence number, -1 without idempotence. */
  readonly sequence: number;
}

export interface DumpedPartition {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logEndOffset: number;
  readonly batches: number;
  readonly bytes: number;
}

export interface DumpedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  /** As a ConsumerProtocolAssignment; of a member of the classic protocol whatever the leader made of it. */
  readonly assignment: Buffer;
  /** The generation of a classic group, the member's epoch in a consumer group. */
  readonly epoch: number;
}

export interface DumpedGroup {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  readonly state: GroupState;
  /** The generation of a classic group, the group epoch of a consumer group. */
  readonly generationId: number;
  /** The assignor in use. */
  readonly protocolName: string | null;
  /** '' in a consumer group: the broker assigns. */
  readonly leaderId: string;
  readonly members: readonly DumpedMember[];
  /** By `topic-partition`. */
  readonly offsets: ReadonlyMap<string, CommittedOffset>;
}

export interface DumpedTransaction {
  readonly transactionalId: string;
  readonly state: TransactionState;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** By `topic-partition`; those that have no marker yet, once it has ended. */
  readonly partitions: readonly string[];
}

const SEQUENCES = 2 ** 31;

export function dumpPartition(partition: Partition): DumpedPartition {
  const { log } = partition;
  return {
    leader: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicas: [...partition.replicas],
    logStartOffset: log.startOffset,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logEndOffset: log.endOffset,
    batches: log.batches.length,
    bytes: log.bytes,
  };
}

/** Every record of the partition, decoded. */
export async function dumpRecords(partition: Partition): Promise<DumpedRecord[]> {
  const dumped: DumpedRecord[] = [];
  for (const batch of [...partition.log.batches]) {
    for (const record of await readRecords(partition, batch)) {
      dumped.push({
        offset: record.offset,
        timestamp: record.timestamp,
        key: record.key,
        value: record.value,
        headers: [...record.headers],
        leaderEpoch: record.leaderEpoch,
        producerId: batch.producerId,
        producerEpoch: batch.producerEpoch,
        sequence:
          batch.producerId < 0 ? -1 : (batch.baseSequence + record.offset - batch.baseOffset) % SEQUENCES,
      });
    }
  }
  return dumped;
}

export function dumpTransaction(transaction: Transaction): DumpedTransaction {
  const { transactionalId, state, producerId, epoch: producerEpoch, timeoutMs } = transaction;
  const partitions = transaction.partitions.all().map(({ topic, partition }) => `${topic}-${partition}`);
  return { transactionalId, state, producerId, producerEpoch, timeoutMs, partitions };
}

export function dumpGroup(group: Group, topics: TopicRegistry): DumpedGroup {
  const { membership } = group;
  const offsets = new Map<string, CommittedOffset>();
  for (const [topic, partitions] of group.offsets.topics()) {
    for (const [partition, committed] of partitions) offsets.set(`${topic}-${partition}`, committed);
  }
  const members = membership.type === 'classic' ? dumpClassic(membership) : dumpConsumers(membership, topics);
  return {
    groupId: group.id,
    type: membership.type,
    state: membership.state,
    generationId: membership.type === 'classic' ? membership.generationId : membership.groupEpoch,
    protocolName: membership.type === 'classic' ? membership.protocolName : membership.assignorName,
    leaderId: membership.type === 'classic' ? membership.members.leaderId : '',
    members,
    offsets,
  };
}

function dumpClassic(group: ClassicGroup): DumpedMember[] {
  return group.members.all().map((member) => ({
    memberId: member.id,
    instanceId: member.instanceId,
    clientId: member.clientId,
    assignment: member.assignment,
    epoch: group.generationId,
  }));
}

function dumpConsumers(group: ConsumerGroup, topics: TopicRegistry): DumpedMember[] {
  return Array.from(group.members.values(), (member) => ({
    memberId: member.id,
    instanceId: member.instanceId,
    clientId: member.clientId,
    assignment: encodeAssignment({
      assignedPartitions: Array.from(member.assigned, ([topicId, partitions]) => ({
        topic: topics.byId(topicId)?.name ?? topicId,
        partitions: [...partitions.keys()],
      })),
    }),
    epoch: member.epoch,
  }));
}
