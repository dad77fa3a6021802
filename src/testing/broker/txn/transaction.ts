import type { Timer } from '../../../core/clock.ts';
import type {
  ClientVersion,
  ProducerIdentity,
  TransactionPartition,
  TransactionState,
} from './transaction-state.ts';

const NO_EPOCH = -1;
const NO_PRODUCER_ID = -1;
/** The last epoch that a client gets; the one above it is for fencing. */
const LAST_EPOCH = 2 ** 15 - 2;

export function isExhausted(epoch: number): boolean {
  return epoch >= LAST_EPOCH;
}

/** Partitions by topic. */
export class PartitionSet {
  readonly #topics = new Map<string, Set<number>>();

  get size(): number {
    return this.#topics.size;
  }

  has({ topic, partition }: TransactionPartition): boolean {
    return this.#topics.get(topic)?.has(partition) === true;
  }

  add({ topic, partition }: TransactionPartition): void {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, new Set([partition]));
    else partitions.add(partition);
  }

  delete({ topic, partition }: TransactionPartition): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
  }

  all(): TransactionPartition[] {
    return Array.from(this.#topics, ([topic, partitions]) =>
      Array.from(partitions, (partition) => ({ topic, partition })),
    ).flat();
  }

  topics(): ReadonlyMap<string, ReadonlySet<number>> {
    return this.#topics;
  }
}

/** A transaction as plain data. */
export interface TransactionSnapshot extends Pick<
  Transaction,
  | 'transactionalId'
  | 'state'
  | 'producerId'
  | 'epoch'
  | 'lastEpoch'
  | 'previousProducerId'
  | 'nextProducerId'
  | 'timeoutMs'
  | 'startMs'
  | 'usedMs'
  | 'clientVersion'
> {
  readonly partitions: readonly TransactionPartition[];
  readonly groups: readonly string[];
}

/** What the coordinator knows of one transactional id (Kafka's TransactionMetadata). */
export class Transaction {
  readonly transactionalId: string;
  state: TransactionState = 'Empty';
  producerId: number;
  epoch = NO_EPOCH;
  /** The epoch before the last bump that the client asked for: a retry names it. */
  lastEpoch = NO_EPOCH;
  previousProducerId = NO_PRODUCER_ID;
  /** The id that follows when the markers are written, because the epochs of this one are used up. */
  nextProducerId = NO_PRODUCER_ID;
  timeoutMs: number;
  /** -1 before the first transaction. */
  startMs = -1;
  /** When it last changed: it expires so long after that. */
  usedMs = -1;
  clientVersion: ClientVersion = 0;
  /** Partitions without a marker. */
  readonly partitions = new PartitionSet();
  /** Groups whose offsets are part of it. */
  readonly groups = new Set<string>();
  /** Fires when it is open for too long. */
  timer: Timer | undefined;

  constructor(transactionalId: string, producerId: number, timeoutMs: number) {
    this.transactionalId = transactionalId;
    this.producerId = producerId;
    this.timeoutMs = timeoutMs;
  }

  static restore(from: TransactionSnapshot): Transaction {
    const { transactionalId, partitions, groups, ...rest } = from;
    const transaction = new Transaction(transactionalId, rest.producerId, rest.timeoutMs);
    Object.assign(transaction, rest);
    for (const partition of partitions) transaction.partitions.add(partition);
    for (const group of groups) transaction.groups.add(group);
    return transaction;
  }

  snapshot(): TransactionSnapshot {
    const { timer: _timer, partitions, groups, ...rest } = this;
    return { ...rest, partitions: partitions.all(), groups: [...groups] };
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, epoch: this.epoch };
  }

  /** Ended, and its markers are not all written. */
  get isPrepared(): boolean {
    return this.state === 'PrepareCommit' || this.state === 'PrepareAbort';
  }

  /** What a client named may go on with a bump: this id, or the one before when that has no epochs left and the answer was lost. */
  accepts(expected: ProducerIdentity): boolean {
    if (this.epoch === NO_EPOCH || expected.producerId === this.producerId) return true;
    return expected.producerId === this.previousProducerId && isExhausted(expected.epoch);
  }

  /** The next epoch of a producer that begins (again); false when `expectedEpoch` is one that was fenced. */
  bumpEpoch(expectedEpoch: number | undefined): boolean {
    if (expectedEpoch === undefined) this.lastEpoch = NO_EPOCH;
    else if (this.epoch === NO_EPOCH || expectedEpoch === this.epoch) this.lastEpoch = this.epoch;
    // A retry of a bump that was done.
    else return expectedEpoch === this.lastEpoch;
    this.previousProducerId = this.producerId;
    this.epoch++;
    return true;
  }

  /** A new producer id, because the epochs of the old one are used up. */
  rotate(producerId: number, keepLastEpoch: boolean): void {
    this.previousProducerId = this.producerId;
    this.lastEpoch = keepLastEpoch ? this.epoch : NO_EPOCH;
    this.producerId = producerId;
    this.epoch = 0;
  }

  /** Nothing is open, and the id may start anew. */
  reset(timeoutMs: number): void {
    this.state = 'Empty';
    this.timeoutMs = timeoutMs;
    this.startMs = -1;
    this.clientVersion = 0;
  }
}
