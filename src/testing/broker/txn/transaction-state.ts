/** Kafka's names; `Dead` is that of an id that is being forgotten, `PrepareEpochFence` of one whose producer is being fenced. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const;

export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** The protocol a client speaks: 0 adds partitions by requests of their own, 2 implicitly, and ends each transaction with a new epoch. */
export type ClientVersion = 0 | 2;

/** Partitions of a topic as a transaction knows them. */
export interface TransactionPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A producer id with its epoch. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

export const NO_PRODUCER: ProducerIdentity = { producerId: -1, epoch: -1 };

/** Where Kafka keeps groups' offsets, and so how a group stands in a transaction. */
export const OFFSETS_TOPIC = '__consumer_offsets';
const OFFSETS_PARTITIONS = 50;

/** The partition of the offsets topic that is a group's. */
export function offsetsPartitionOf(groupId: string): number {
  let hash = 0;
  for (let at = 0; at < groupId.length; at++) hash = (Math.imul(31, hash) + groupId.charCodeAt(at)) | 0;
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % OFFSETS_PARTITIONS;
}
