// A producer whose records become visible together, with the offsets of what they were made from, or not at all.
//
// Outline of a transaction: `begin` -> records go as they always do, each partition joining the transaction with its first batch; offsets go as they
// are given -> `commit` sends what is gathered, waits for every result, and has the coordinator end it. Anything that fails on the way makes the
// whole of it abortable: what is left fails with it, and `abort` ends it. What may still be on its way when a transaction ends is shut out by the
// next one's epoch: with transactions v2 every end brings a new one, with v1 it is asked for after every end behind which a request was left
// unanswered, for such a request may be carried out late, in the next transaction (KAFKA-17754).

import {
  BrokerError,
  KafkaError,
  OutcomeUnknownError,
  TimeoutError,
  TransactionAbortableError,
  TransactionFatalError,
  UsageError,
} from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { transactionEvents } from '../events/channels.ts';
import type { ProducerOptions } from '../producer/options.ts';
import { Producer } from '../producer/producer.ts';
import { CoordinatorRequests } from './coordinator-requests.ts';
import type { GroupMetadata, TransactionOffset } from './group-metadata.ts';
import { StatusMachine, type TransactionStatus } from './status.ts';
import { TransactionIdentity } from './transaction-identity.ts';
import { TransactionTrace } from './transaction-trace.ts';
import { batchVerdict, transactionVerdict, type TransactionApi } from './verdicts.ts';

/** Options of a {@link TransactionalProducer}: those of a producer, with its id. */
export type TransactionalProducerOptions = ProducerOptions & { readonly transactionalId: string };

/** The last Produce that does not take a partition into the transaction by itself. */
const LAST_PRODUCE_V1 = 11;

/** A coordinator that answers with these has nothing to abort. */
const FORGOTTEN: ReadonlySet<string> = new Set(['UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_ID_MAPPING']);

/** What the layer above may want to know, and how strict the producer is. */
export interface TransactionHooks {
  /** The transaction is lost: called before any receipt is told of it. */
  readonly onBroken?: (error: TransactionAbortableError | TransactionFatalError) => void;
  /** A record that is refused before it joins a batch (too large, no such topic) leaves the transaction as it is; its receipt is told all the same. */
  readonly allowsRefused?: boolean;
}

/**
 * A producer with transactions. `init()` once, then `begin()`, `send(...)`, `sendOffsets(...)` and `commit()` or `abort()`, one transaction at a
 * time; or `transaction(work)`, which does the four. Records are taken only inside a transaction. A second instance with the same id shuts
 * this one out: every call then rejects with TransactionFatalError.
 */
export class TransactionalProducer extends Producer {
  readonly transactionalId: string;
  private readonly machine = new StatusMachine();
  private readonly identity: TransactionIdentity;
  private readonly requests: CoordinatorRequests;
  private readonly hooks: TransactionHooks;
  private readonly ending = new AbortController();
  private error: TransactionAbortableError | TransactionFatalError | undefined;
  private offsetsUnderWay = new Set<Promise<unknown>>();
  private readonly groups = new Set<string>();
  /** The next transaction must have a new epoch, though the cluster gives none by itself. */
  private needsEpoch = false;
  private requestsBefore = 0;
  private readonly trace: TransactionTrace;

  /** @throws UsageError naming an option that makes no sense. */
  constructor(cluster: Cluster, options: TransactionalProducerOptions, hooks: TransactionHooks = {}) {
    const identity = new TransactionIdentity();
    super(cluster, options, identity);
    this.identity = identity;
    this.hooks = hooks;
    this.transactionalId = options.transactionalId;
    this.trace = new TransactionTrace(cluster, this);
    this.requests = new CoordinatorRequests({
      cluster,
      transactionalId: options.transactionalId,
      transactionTimeoutMs: this.settings.transactionTimeoutMs,
      stop: this.ending.signal,
    });
    identity.attach({
      addPartitions: (partitions, current) => this.requests.addPartitions(partitions, current),
      failed: (error) => this.broken(error, 'AddPartitionsToTxn'),
    });
    this.watch({
      onBatchFailed: (error) => this.batchFailed(error),
      onRecordRefused: this.hooks.allowsRefused === true ? undefined : (error) => this.batchFailed(error),
    });
    this.refuse();
  }

  get status(): TransactionStatus {
    return this.machine.current;
  }

  /** Why the present transaction, or the producer, is broken; undefined while it is not. */
  get failure(): TransactionAbortableError | TransactionFatalError | undefined {
    return this.error;
  }

  /** The version of transactions in use: 2 where the cluster has finalised `transaction.version` 2, else 1; as of the last `init()`. */
  get transactionVersion(): 1 | 2 {
    return this.identity.version;
  }

  /** The producer id and epoch of the present transaction, or of the next; undefined before `init()`. */
  get producerIdentity(): { readonly producerId: number; readonly producerEpoch: number } | undefined {
    return this.identity.current;
  }

  /**
   * Takes the transactional id: a transaction that an earlier instance left open is aborted, and that instance shut out. Rejects with
   * TransactionFatalError where that is refused, and with TimeoutError when the coordinator cannot be asked; then it may be called again.
   */
  async init(): Promise<void> {
    if (this.machine.is('fatal-error')) throw this.error!;
    if (!this.machine.is('uninitialized'))
      throw new UsageError(
        `init() was called already: the producer of '${this.transactionalId}' is '${this.status}'`,
      );
    await this.initialize(false);
  }

  /**
   * Takes the id back after a fatal error, whoever has it. Only for an id that is nobody else's: two instances that did this would shut each
   * other out for ever. For one that is chosen by chance, fencing means that the cluster aborted a transaction that was open for too long.
   */
  async takeOver(): Promise<void> {
    if (!this.machine.is('fatal-error'))
      throw new UsageError(`takeOver() is for a producer with a fatal error; this one is '${this.status}'`);
    await this.undo();
    this.identity.over();
    this.groups.clear();
    await this.initialize(false);
  }

  /** Begins a transaction. Asks nobody: the cluster hears of it with its first record or offset. @throws UsageError when one is open already. */
  begin(): void {
    this.assertUsable();
    if (!this.machine.is('ready')) {
      const hint = this.machine.is('uninitialized') ? '; call init() first' : '';
      throw new UsageError(
        `A transaction cannot begin: the producer of '${this.transactionalId}' is '${this.status}'${hint}`,
      );
    }
    this.machine.to('in-transaction');
    this.requestsBefore = this.counters.requests;
    this.requests.isDoubtful = false;
    this.identity.open();
    this.refuseWith(undefined);
    if (transactionEvents.hasSubscribers) this.trace.begun();
  }

  /**
   * Adds the group's offsets to the transaction: they hold when it is committed. With the member's id and generation they are refused, and the
   * transaction becomes abortable, once the member has lost its partitions. Resolves when the group's coordinator has them.
   */
  async sendOffsets(offsets: readonly TransactionOffset[], group: GroupMetadata): Promise<void> {
    this.assertInTransaction('sendOffsets()');
    if (typeof group.groupId !== 'string' || group.groupId === '')
      throw new UsageError('sendOffsets: the group needs a groupId', 'groupId');
    checkOffsets(offsets);
    if (offsets.length === 0) return;
    const startedAt = this.cluster.clock.now();
    const sending = this.addOffsets(offsets, group);
    const settled = sending.catch(() => undefined);
    this.offsetsUnderWay.add(settled);
    try {
      await sending;
      if (transactionEvents.hasSubscribers) this.trace.offsetsSent(group.groupId, offsets.length, startedAt);
    } finally {
      this.offsetsUnderWay.delete(settled);
    }
  }

  /**
   * Sends what is gathered, waits for its results, and commits. A transaction with nothing in it makes no request. Rejects with
   * TransactionAbortableError when something of it failed: nothing is committed then, and `abort()` is next. Rejects with OutcomeUnknownError when
   * the coordinator did not answer within `defaultApiTimeoutMs`: call it again, or close.
   */
  async commit(): Promise<void> {
    this.assertUsable();
    this.assertCommittable();
    if (this.machine.is('in-transaction')) {
      this.machine.to('committing');
      this.refuse();
      await Promise.all([this.flush(), ...this.offsetsUnderWay]);
      if (this.error !== undefined) throw this.error;
    } else if (!this.machine.is('committing')) {
      throw new UsageError(
        `There is no transaction to commit: the producer of '${this.transactionalId}' is '${this.status}'`,
      );
    }
    await this.end(true);
  }

  /** Ends the transaction without a trace for readers of what is committed; records without a result fail with TransactionAbortableError. */
  async abort(): Promise<void> {
    if (this.machine.is('fatal-error')) throw this.error!;
    if (this.machine.is('in-transaction', 'abortable-error')) {
      this.machine.to('aborting');
      this.refuse();
      await this.undo();
    } else if (!this.machine.is('aborting')) {
      throw new UsageError(
        `There is no transaction to abort: the producer of '${this.transactionalId}' is '${this.status}'`,
      );
    }
    await this.end(false);
  }

  /** Runs `work` in a transaction and commits it; when it throws, or the commit is refused, aborts and rejects with that. */
  async transaction<T>(work: (producer: this) => T | Promise<T>): Promise<T> {
    this.begin();
    let result: T;
    try {
      result = await work(this);
      await this.commit();
    } catch (error) {
      if (this.machine.is('in-transaction', 'abortable-error')) await this.abort();
      throw error;
    }
    return result;
  }

  /** As {@link Producer.close}; a transaction that is open is aborted. */
  override async close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    if (this.machine.is('in-transaction', 'abortable-error') && !this.ending.signal.aborted) {
      const timer = this.cluster.clock.setTimeout(
        () => this.ending.abort(closedError()),
        options.timeoutMs ?? 30_000,
      );
      await this.abort().catch(() => undefined);
      timer.cancel();
    }
    await super.close(options);
    this.ending.abort(closedError());
  }

  private async initialize(bumps: boolean): Promise<void> {
    this.machine.to('initializing');
    const startedAt = this.cluster.clock.now();
    try {
      const { identity, requests } = this;
      identity.version = await requests.transactionVersion();
      this.limitProduce(identity.version === 1 ? LAST_PRODUCE_V1 : Infinity);
      identity.current = await requests.initProducerId(bumps ? identity.current : undefined);
      this.needsEpoch = false;
      this.error = undefined;
      this.machine.to('ready');
      this.refuse();
      if (transactionEvents.hasSubscribers) this.trace.initialized(startedAt);
    } catch (cause) {
      if (isFatal(cause, 'InitProducerId')) throw this.toFatal(cause);
      this.machine.to('uninitialized');
      throw cause;
    }
  }

  private async addOffsets(offsets: readonly TransactionOffset[], group: GroupMetadata): Promise<void> {
    const { identity, requests } = this;
    let api: TransactionApi = 'AddOffsetsToTxn';
    try {
      if (identity.version === 2) identity.isStarted = true;
      else if (!this.groups.has(group.groupId)) {
        await requests.addOffsets(group.groupId, identity.current!);
        this.groups.add(group.groupId);
        identity.isStarted = true;
      }
      api = 'TxnOffsetCommit';
      await requests.commitOffsets(offsets, group, identity.current!, identity.version);
    } catch (cause) {
      this.broken(cause, api);
      throw this.error ?? cause;
    }
  }

  /** Has the coordinator end the transaction, and makes ready for the next. */
  private async end(committed: boolean): Promise<void> {
    const { identity, requests } = this;
    identity.shut();
    const wasStarted = identity.isStarted || this.counters.requests > this.requestsBefore;
    const startedAt = this.cluster.clock.now();
    if (wasStarted) {
      try {
        const next = await requests.end(committed, identity.current!, identity.version);
        if (next !== undefined) {
          identity.current = next;
          this.needsEpoch = false;
          requests.isDoubtful = false;
        }
      } catch (cause) {
        if (!this.isForgotten(cause, committed)) throw this.notEnded(cause, committed);
      }
    }
    if (transactionEvents.hasSubscribers) this.trace.ended(committed, startedAt);
    // What a request that was left unanswered, or a number that was left out, could still do would be done to the next transaction.
    const needsEpoch = this.needsEpoch || requests.isDoubtful;
    identity.over();
    this.groups.clear();
    this.error = undefined;
    if (needsEpoch) await this.renew();
    else this.machine.to('ready');
  }

  /**
   * The coordinator has forgotten the producer id, and with it the transaction: there is nothing left to abort. The next epoch is asked for under the
   * old identity all the same: where somebody else has taken the transactional id meanwhile, that is refused.
   */
  private isForgotten(cause: unknown, committed: boolean): boolean {
    if (committed || !(cause instanceof BrokerError) || !FORGOTTEN.has(cause.errorName)) return false;
    this.needsEpoch = true;
    return true;
  }

  /** The transaction is ended; whether the next one can begin is another question, which `begin()` answers. */
  private async renew(): Promise<void> {
    try {
      await this.initialize(true);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
    }
  }

  private notEnded(cause: unknown, committed: boolean): unknown {
    if (!(cause instanceof BrokerError)) return cause;
    const verdict = transactionVerdict('EndTxn', cause.errorName);
    if (verdict === 'fatal' || (verdict === 'abortable' && !committed)) return this.toFatal(cause);
    if (verdict === 'abortable') {
      this.broken(cause, 'EndTxn');
      return this.error;
    }
    const [done, call] = committed ? ['committed', 'commit()'] : ['aborted', 'abort()'];
    const what = `Whether the transaction of '${this.transactionalId}' was ${done} is not known`;
    return new OutcomeUnknownError(`${what}: ${cause.message}. Call ${call} again, or close`, { cause });
  }

  private batchFailed(error: KafkaError): void {
    this.needsEpoch = true;
    if (this.error !== undefined || error instanceof TransactionAbortableError) return;
    if (batchVerdict(error) === 'fatal') this.toFatal(error);
    else this.toAbortable(error);
  }

  private broken(cause: unknown, api: TransactionApi): void {
    this.needsEpoch = true;
    if (isFatal(cause, api)) this.toFatal(cause);
    else this.toAbortable(cause);
  }

  private toAbortable(cause: unknown): void {
    if (!this.machine.can('abortable-error')) return;
    this.machine.to('abortable-error');
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `The transaction of '${this.transactionalId}' cannot be committed; abort() it. ${why}`;
    this.giveUp(new TransactionAbortableError(nameOf(cause), message, { retriable: false, cause }));
  }

  private toFatal(cause: unknown): TransactionFatalError {
    if (this.error instanceof TransactionFatalError) return this.error;
    if (this.machine.can('fatal-error')) this.machine.to('fatal-error');
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `The producer of transactional id '${this.transactionalId}' cannot go on. ${why}`;
    const error = new TransactionFatalError(nameOf(cause), message, { retriable: false, cause });
    this.giveUp(error);
    return error;
  }

  /** Nothing of the transaction is waited for any more. */
  private giveUp(error: TransactionAbortableError | TransactionFatalError): void {
    this.error = error;
    this.identity.shut();
    this.refuse();
    this.hooks.onBroken?.(error);
    if (transactionEvents.hasSubscribers) this.trace.broken(error, error instanceof TransactionFatalError);
    // Later: a batch may be in the middle of failing.
    queueMicrotask(() => this.abandonAll(error));
  }

  private async undo(): Promise<void> {
    this.identity.shut();
    const message = `The transaction of '${this.transactionalId}' was aborted`;
    this.abandonAll(
      this.error ?? new TransactionAbortableError('TRANSACTION_ABORTABLE', message, { retriable: false }),
    );
    await Promise.all([this.whenQuiet(), ...this.offsetsUnderWay]);
  }

  private refuse(): void {
    this.refuseWith((topic) => this.error ?? this.notOpen(topic));
  }

  private notOpen(topic: string): UsageError {
    return new UsageError(
      `A record for ${topic} was not taken: the producer of transactional id '${this.transactionalId}' has no open transaction, it is '${this.status}'`,
    );
  }

  private assertUsable(): void {
    if (this.machine.is('fatal-error')) throw this.error!;
  }

  private assertCommittable(): void {
    if (this.machine.is('abortable-error')) throw this.error!;
  }

  private assertInTransaction(what: string): void {
    this.assertUsable();
    this.assertCommittable();
    if (this.machine.is('in-transaction')) return;
    throw new UsageError(
      `${what} needs an open transaction; the producer of '${this.transactionalId}' is '${this.status}'`,
    );
  }
}

function checkOffsets(offsets: readonly TransactionOffset[]): void {
  for (const { topic, partition, offset } of offsets)
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new UsageError(`sendOffsets: ${offset} is not an offset of ${topic}-${partition}`, 'offset');
}

function isFatal(cause: unknown, api: TransactionApi): boolean {
  if (cause instanceof TimeoutError) return false;
  return cause instanceof BrokerError && transactionVerdict(api, cause.errorName) === 'fatal';
}

function nameOf(cause: unknown): string {
  return cause instanceof BrokerError ? cause.errorName : 'TRANSACTION_ABORTABLE';
}

function closedError(): UsageError {
  return new UsageError('The producer is closed');
}
