import { ERRORS } from '../../../core/protocol/error-codes.ts';
import type { ClusterState } from '../state/cluster-state.ts';
import { MarkerWriter } from './marker-writer.ts';
import { isExhausted, Transaction } from './transaction.ts';
import type { TransactionSnapshot } from './transaction.ts';
import { NO_PRODUCER } from './transaction-state.ts';
import type { ClientVersion, ProducerIdentity, TransactionPartition } from './transaction-state.ts';

/** Who asks for something in a transaction, as a request names it. */
export interface TransactionClient extends ProducerIdentity {
  readonly transactionalId: string;
}

/** An error, or the identity that the producer has from now on. */
export interface IdentityResult extends ProducerIdentity {
  readonly errorCode: number;
}

/** `transaction.max.timeout.ms` */
const MAX_TIMEOUT_MS = 900_000;
const SWEEP_INTERVAL_MS = 3_600_000;
/** Kafka has no bound; a hostile client must not be able to fill the memory with ids. */
const MAX_IDS = 100_000;
/** Of one transaction, for the same reason. */
const MAX_GROUPS = 10_000;

const refuse = (errorCode: number): IdentityResult => ({ errorCode, ...NO_PRODUCER });
const accept = (identity: ProducerIdentity): IdentityResult => ({ errorCode: ERRORS.NONE, ...identity });

/** All transactional ids of the cluster (Kafka's TransactionCoordinator). Which node may speak for an id is the cluster's business. */
export class TransactionCoordinator {
  readonly markers: MarkerWriter;
  readonly #cluster: ClusterState;
  readonly #known = new Map<string, Transaction>();
  #nextSweepMs: number;

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
    this.#nextSweepMs = cluster.clock.wallNow() + SWEEP_INTERVAL_MS;
    this.markers = new MarkerWriter(cluster);
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  all(): Iterable<Transaction> {
    return this.#transactions.values();
  }

  /** All that have not expired; those that have go first, as often as Kafka looks (`transaction.remove.expired.transaction.cleanup.interval.ms`). */
  get #transactions(): Map<string, Transaction> {
    const nowMs = this.#cluster.clock.wallNow();
    if (nowMs < this.#nextSweepMs) return this.#known;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    const { transactionalIdExpirationMs } = this.#cluster.settings;
    for (const [id, transaction] of this.#known) {
      const isOpen = transaction.state === 'Ongoing' || transaction.isPrepared;
      if (!isOpen && transaction.usedMs + transactionalIdExpirationMs <= nowMs) this.#known.delete(id);
    }
    return this.#known;
  }

  /** A producer with this id begins, or begins again as `expected`; whoever used the id before is fenced. */
  init(transactionalId: string, timeoutMs: number, expected: ProducerIdentity | undefined): IdentityResult {
    if (transactionalId === '') return refuse(ERRORS.INVALID_REQUEST);
    if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) return refuse(ERRORS.INVALID_TRANSACTION_TIMEOUT);
    const transaction = this.#transactions.get(transactionalId) ?? this.#create(transactionalId, timeoutMs);
    if (transaction === undefined) return refuse(ERRORS.COORDINATOR_NOT_AVAILABLE);
    if (expected !== undefined && !transaction.accepts(expected)) return refuse(ERRORS.PRODUCER_FENCED);
    if (transaction.isPrepared) return refuse(ERRORS.CONCURRENT_TRANSACTIONS);
    if (transaction.state === 'Ongoing') {
      this.#fence(transaction);
      return refuse(ERRORS.CONCURRENT_TRANSACTIONS);
    }
    const isLast = isExhausted(transaction.epoch);
    if (isLast && (expected === undefined || expected.epoch === transaction.epoch)) {
      transaction.rotate(this.#cluster.takeProducerId(), expected !== undefined);
    } else if (!transaction.bumpEpoch(expected?.epoch)) {
      return refuse(ERRORS.PRODUCER_FENCED);
    }
    transaction.reset(timeoutMs);
    transaction.usedMs = this.#cluster.clock.wallNow();
    return accept(transaction.identity);
  }

  /** Adds partitions, and with them a group whose offsets they hold; the error, 0 when they are part of the transaction now. */
  add(
    client: TransactionClient,
    partitions: readonly TransactionPartition[],
    clientVersion: ClientVersion,
    groupId?: string,
  ): number {
    const transaction = this.#find(client);
    if (typeof transaction === 'number') return transaction;
    if (transaction.isPrepared) return ERRORS.CONCURRENT_TRANSACTIONS;
    if (groupId !== undefined) {
      if (transaction.groups.size >= MAX_GROUPS) return ERRORS.INVALID_REQUEST;
      transaction.groups.add(groupId);
    }
    const isKnown = partitions.every((partition) => transaction.partitions.has(partition));
    if (transaction.state === 'Ongoing' && isKnown) return ERRORS.NONE;
    for (const partition of partitions) transaction.partitions.add(partition);
    transaction.clientVersion = clientVersion;
    transaction.usedMs = this.#cluster.clock.wallNow();
    if (transaction.state !== 'Ongoing') this.#begin(transaction);
    return ERRORS.NONE;
  }

  /** Whether a partition is part of the transaction; the error, 0 when it is. */
  verify(client: TransactionClient, partition: TransactionPartition): number {
    const transaction = this.#find(client);
    if (typeof transaction === 'number') return transaction;
    if (transaction.isPrepared) return ERRORS.CONCURRENT_TRANSACTIONS;
    return transaction.partitions.has(partition) ? ERRORS.NONE : ERRORS.TRANSACTION_ABORTABLE;
  }

  end(client: TransactionClient, commit: boolean, clientVersion: ClientVersion): IdentityResult {
    if (client.transactionalId === '') return refuse(ERRORS.INVALID_REQUEST);
    const transaction = this.#transactions.get(client.transactionalId);
    if (transaction === undefined) return refuse(ERRORS.INVALID_PRODUCER_ID_MAPPING);
    const error =
      clientVersion === 2
        ? this.#checkEndWithBump(transaction, client, commit)
        : checkEnd(transaction, client, commit);
    if (error !== undefined) {
      return error === ERRORS.NONE ? accept(transaction.identity) : refuse(error);
    }
    this.#prepare(transaction, commit, clientVersion);
    const answer =
      transaction.nextProducerId >= 0
        ? { producerId: transaction.nextProducerId, epoch: 0 }
        : transaction.identity;
    this.markers.write(transaction);
    return accept(answer);
  }

  /** All transactional ids, as plain data. */
  snapshot(): readonly TransactionSnapshot[] {
    return Array.from(this.#known.values(), (transaction) => transaction.snapshot());
  }

  /** Makes an empty coordinator what a snapshot says; timers go on for the time that was left, markers that were missing are written. */
  restore(from: readonly TransactionSnapshot[]): void {
    const wallNow = this.#cluster.clock.wallNow();
    for (const one of from) {
      const transaction = Transaction.restore(one);
      this.#known.set(one.transactionalId, transaction);
      if (transaction.state === 'Ongoing') this.#arm(transaction, one.startMs + one.timeoutMs - wallNow);
    }
    for (const transaction of this.#known.values()) this.markers.write(transaction);
  }

  /** Stops all timers. */
  close(): void {
    for (const transaction of this.#known.values()) transaction.timer?.cancel();
  }

  /** Undefined when there are as many ids as the memory is to hold, and none can be forgotten. */
  #create(transactionalId: string, timeoutMs: number): Transaction | undefined {
    if (this.#known.size >= MAX_IDS && !this.#forgetOldest()) return undefined;
    const transaction = new Transaction(transactionalId, this.#cluster.takeProducerId(), timeoutMs);
    transaction.usedMs = this.#cluster.clock.wallNow();
    this.#known.set(transactionalId, transaction);
    return transaction;
  }

  #forgetOldest(): boolean {
    for (const transaction of this.#known.values()) {
      if (transaction.state === 'Ongoing' || transaction.isPrepared) continue;
      return this.#known.delete(transaction.transactionalId);
    }
    return false;
  }

  #find(client: TransactionClient): Transaction | number {
    if (client.transactionalId === '') return ERRORS.INVALID_REQUEST;
    const transaction = this.#transactions.get(client.transactionalId);
    if (transaction?.producerId !== client.producerId) return ERRORS.INVALID_PRODUCER_ID_MAPPING;
    return transaction.epoch === client.epoch ? transaction : ERRORS.PRODUCER_FENCED;
  }

  #begin(transaction: Transaction): void {
    transaction.state = 'Ongoing';
    transaction.startMs = this.#cluster.clock.wallNow();
    this.#arm(transaction, transaction.timeoutMs);
  }

  #arm(transaction: Transaction, timeoutMs: number): void {
    transaction.timer?.cancel();
    transaction.timer = this.#cluster.clock.setTimeout(() => this.#fence(transaction), timeoutMs);
    transaction.timer.unref?.();
  }

  /** The rules for clients that end each transaction with a new epoch: the epoch tells a retry from the next transaction. */
  #checkEndWithBump(
    transaction: Transaction,
    client: TransactionClient,
    commit: boolean,
  ): number | undefined {
    const { state, epoch } = transaction;
    const isOverflowRetry =
      transaction.previousProducerId === client.producerId && isExhausted(client.epoch) && epoch === 0;
    const isRetry = epoch === client.epoch + 1 || isOverflowRetry;
    if (transaction.producerId !== client.producerId && !isOverflowRetry)
      return ERRORS.INVALID_PRODUCER_ID_MAPPING;
    const isCurrent = client.epoch === epoch;
    const isOver = state === 'CompleteCommit' || state === 'CompleteAbort';
    const isValid = transaction.isPrepared ? isRetry : isCurrent || (isOver && isRetry);
    if (!isValid) return ERRORS.PRODUCER_FENCED;
    if (transaction.isPrepared) return endOfPrepared(transaction, commit);
    if (state === 'Ongoing') return undefined;
    if (isOver && isRetry) {
      return (state === 'CompleteCommit') === commit ? ERRORS.NONE : ERRORS.INVALID_TXN_STATE;
    }
    // Nothing was added: there is nothing to commit, and an abort only gives the producer its next epoch.
    return commit ? ERRORS.INVALID_TXN_STATE : undefined;
  }

  #prepare(transaction: Transaction, commit: boolean, clientVersion: ClientVersion): void {
    transaction.timer?.cancel();
    transaction.timer = undefined;
    transaction.usedMs = this.#cluster.clock.wallNow();
    if (transaction.state !== 'Ongoing') transaction.startMs = this.#cluster.clock.wallNow();
    transaction.clientVersion = clientVersion;
    transaction.state = commit ? 'PrepareCommit' : 'PrepareAbort';
    if (clientVersion !== 2) return;
    if (isExhausted(transaction.epoch)) transaction.nextProducerId = this.#cluster.takeProducerId();
    transaction.lastEpoch = transaction.epoch;
    transaction.epoch++;
  }

  /** Aborts what is open under a new epoch, which no client is told: whoever has the old one is fenced. */
  #fence(transaction: Transaction): void {
    if (transaction.state !== 'Ongoing') return;
    const bumpsEpochs = this.#cluster.features.level('transaction.version') >= 2;
    if (!bumpsEpochs) {
      transaction.epoch++;
      transaction.lastEpoch = -1;
    }
    this.#prepare(transaction, false, bumpsEpochs ? 2 : 0);
    this.markers.write(transaction);
  }
}

/** The rules for clients that keep their epoch from transaction to transaction; undefined when the transaction ends now. */
function checkEnd(transaction: Transaction, client: TransactionClient, commit: boolean): number | undefined {
  if (transaction.producerId !== client.producerId) return ERRORS.INVALID_PRODUCER_ID_MAPPING;
  if (transaction.epoch !== client.epoch) return ERRORS.PRODUCER_FENCED;
  if (transaction.state === 'Ongoing') return undefined;
  if (transaction.isPrepared) return endOfPrepared(transaction, commit);
  const isDone = transaction.state === (commit ? 'CompleteCommit' : 'CompleteAbort');
  return isDone ? ERRORS.NONE : ERRORS.INVALID_TXN_STATE;
}

function endOfPrepared(transaction: Transaction, commit: boolean): number {
  const isSame = transaction.state === (commit ? 'PrepareCommit' : 'PrepareAbort');
  return isSame ? ERRORS.CONCURRENT_TRANSACTIONS : ERRORS.INVALID_TXN_STATE;
}
