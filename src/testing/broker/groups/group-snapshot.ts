import { restoreClassic, snapshotClassic } from './classic/classic-snapshot.ts';
import type { ClassicSnapshot } from './classic/classic-snapshot.ts';
import type { OffsetsSnapshot } from './committed-offsets.ts';
import { restoreConsumers, snapshotConsumers } from './consumer/consumer-snapshot.ts';
import type { ConsumerSnapshot } from './consumer/consumer-snapshot.ts';
import type { Group } from './group.ts';

/** A group with its commits as plain data: what Kafka would find in its log after a restart. */
export interface GroupSnapshot {
  readonly id: string;
  readonly offsets: OffsetsSnapshot;
  readonly membership: ClassicSnapshot | ConsumerSnapshot;
}

export function snapshotGroup({ id, offsets, membership }: Group, nowMs: number): GroupSnapshot {
  return {
    id,
    offsets: offsets.snapshot(nowMs),
    membership:
      membership.type === 'classic' ? snapshotClassic(membership, nowMs) : snapshotConsumers(membership),
  };
}

/** Makes a new group of the same protocol what a snapshot says. */
export function restoreGroup({ offsets, membership }: Group, from: GroupSnapshot, nowMs: number): void {
  offsets.restore(from.offsets, nowMs);
  if (membership.type === 'classic' && from.membership.type === 'classic') {
    restoreClassic(membership, from.membership, nowMs);
  } else if (membership.type === 'consumer' && from.membership.type === 'consumer') {
    restoreConsumers(membership, from.membership);
  }
}
