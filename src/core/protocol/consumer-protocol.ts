// What members of a classic consumer group tell each other through JoinGroup and SyncGroup: opaque bytes to the broker, an int16 version before
// each. A reader takes a version it does not know as the highest it knows: newer versions only add fields at the end.
import { Message } from './api.ts';
import { Reader } from './reader.ts';
import { array, int32, nullableBytes, nullableString, string, type In, type Out } from './schema.ts';
import { Writer } from './writer.ts';

const HIGHEST_VERSION = 3;

export const consumerProtocolSubscription = new Message(
  { name: 'ConsumerProtocolSubscription', versions: '0-3' },
  {
    topics: array(string()),
    userData: nullableBytes({ default: null }),
    /** What the member holds, for cooperative assignors. */
    ownedPartitions: array(
      { topic: string(), partitions: array(int32()) },
      { versions: '1+', ignorable: true },
    ),
    /** The generation in which it held them, or -1. */
    generationId: int32({ versions: '2+', default: -1, ignorable: true }),
    rackId: nullableString({ versions: '3+', default: null, ignorable: true }),
  },
);

export const consumerProtocolAssignment = new Message(
  { name: 'ConsumerProtocolAssignment', versions: '0-3' },
  {
    assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
    userData: nullableBytes({ default: null }),
  },
);

/** A member's subscription, as one writes it. */
export type SubscriptionInit = In<typeof consumerProtocolSubscription.table>;
/** A member's subscription, as one reads it. */
export type Subscription = Out<typeof consumerProtocolSubscription.table>;
/** A member's assignment, as one writes it. */
export type AssignmentInit = In<typeof consumerProtocolAssignment.table>;
/** A member's assignment, as one reads it. */
export type Assignment = Out<typeof consumerProtocolAssignment.table>;

/** The bytes for JoinGroup's `protocols[].metadata`. */
export function encodeSubscription(subscription: SubscriptionInit, version = HIGHEST_VERSION): Buffer {
  const writer = new Writer();
  writer.int16(version);
  consumerProtocolSubscription.encode(writer, subscription, version);
  return writer.finish();
}

/** @throws ProtocolError when the bytes are no subscription. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new Reader(bytes);
  return consumerProtocolSubscription.decode(reader, readVersion(reader));
}

/** The bytes for SyncGroup's `assignments[].assignment`. */
export function encodeAssignment(assignment: AssignmentInit, version = HIGHEST_VERSION): Buffer {
  const writer = new Writer();
  writer.int16(version);
  consumerProtocolAssignment.encode(writer, assignment, version);
  return writer.finish();
}

/** Empty bytes are an assignment of nothing, as the coordinator sends it to a member that the leader left out. */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return { assignedPartitions: [], userData: null };
  const reader = new Reader(bytes);
  return consumerProtocolAssignment.decode(reader, readVersion(reader));
}

function readVersion(reader: Reader): number {
  const version = reader.int16();
  if (version < 0) reader.fail(`version ${version} of the consumer protocol`);
  return Math.min(version, HIGHEST_VERSION);
}
