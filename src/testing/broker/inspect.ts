import type { GroupState } from './groups/group-types.ts';
import type { CommittedOffset } from './groups/committed-offsets.ts';
import type { Group } from './groups/group-coordinator.ts';
import { readRecords } from './log/read-records.ts';
import type { Partition } from './state/partition.ts';

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
  readonly assignment: Buffer;
}

export interface DumpedGroup {
  readonly groupId: string;
  readonly state: GroupState;
  readonly generationId: number;
  readonly protocolName: string | null;
  readonly leaderId: string;
  readonly members: readonly DumpedMember[];
  /** By `topic-partition`. */
  readonly offsets: ReadonlyMap<string, CommittedOffset>;
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

export function dumpGroup(group: Group): DumpedGroup {
  const { membership } = group;
  const offsets = new Map<string, CommittedOffset>();
  for (const [topic, partitions] of group.offsets.topics()) {
    for (const [partition, committed] of partitions) offsets.set(`${topic}-${partition}`, committed);
  }
  return {
    groupId: membership.id,
    state: membership.state,
    generationId: membership.generationId,
    protocolName: membership.protocolName,
    leaderId: membership.members.leaderId,
    members: membership.members.all().map((member) => ({
      memberId: member.id,
      instanceId: member.instanceId,
      clientId: member.clientId,
      assignment: member.assignment,
    })),
    offsets,
  };
}
