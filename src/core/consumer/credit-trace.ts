// What those who listen are told of credit that is used up, and comes back.

import { creditEvents } from '../events/channels.ts';
import type { PartitionReader } from './partition-reader.ts';

const OVER = -1;

/** Returns when that was. */
export function tellStall(reader: PartitionReader): number {
  const place = placeOf(reader);
  creditEvents.publish({ ...place, kind: 'stalled' });
  return nowMs(reader);
}

/** Returns that there is no stall. */
export function tellStallOver(reader: PartitionReader, stalledAt: number): number {
  creditEvents.publish({ ...placeOf(reader), kind: 'resumed', stalledMs: nowMs(reader) - stalledAt });
  return OVER;
}

function nowMs({ feed }: PartitionReader): number {
  return feed.host?.clock.now() ?? 0;
}

function placeOf(reader: PartitionReader): {
  readonly clientId: string;
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
} {
  const { topic, partition, claimEpoch, inFlightRecords, inFlightBytes, feed } = reader;
  const clientId = feed.host?.clientId ?? '';
  return { clientId, topic, partition, claimEpoch, inFlightRecords, inFlightBytes };
}
