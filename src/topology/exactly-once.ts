// A topology's transactions: one after another, each with everything that was written since the last and the offsets of what that was made from.
//
// Outline of an end: no claim hands anything over -> everything handed over is settled, which means that all of it is written -> the offsets of all
// claims join the transaction -> it is committed -> the next one begins, and the claims go on.
//
// Outline of an undoing, which whatever goes wrong leads to: every claim is lost, so that nothing of it is written or settled any more -> the
// transaction is aborted -> the next one begins -> every claim starts over at what is committed.
import { delay, type Clock } from '../core/clock.ts';
import type { Cluster } from '../core/cluster/cluster.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from '../core/group/committer.ts';
import type { GroupConsumerOptions } from '../core/group/options.ts';
import type { TransactionMember } from '../core/group/transaction-member.ts';
import { JoinedSignal } from '../core/joined-signal.ts';
import { sharedAbort } from '../core/shared-abort.ts';
import type { StreamClient } from '../core/stream-client.ts';
import { TransactionalProducer } from '../core/transactions/transactional-producer.ts';
import { BrokerError, OutcomeUnknownError, TransactionFatalError, UsageError } from '../errors.ts';
import type { TransactionScope } from '../sources/cluster-runtime.ts';
import { tellOfUndoing } from './problems.ts';
import type { RunOptions, TransactionOptions } from './types.ts';

const INTERVAL_MS = 100;
const TIMEOUT_MS = 10_000;
/** Transactions that break one after another, with none committed between, before the topology gives up. */
const MAX_BROKEN_IN_A_ROW = 5;
const FIRST_PAUSE_MS = 100;
/** What a member is told of its own group; everything else is the transaction's own affair. */
const OF_THE_GROUP: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'STALE_MEMBER_EPOCH',
  'FENCED_MEMBER_EPOCH',
  'REBALANCE_IN_PROGRESS',
]);
/** An id that is nobody else's is shut out only when the cluster aborted its transaction, or forgot it. */
const TAKEN_BACK: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
]);

interface Part {
  readonly member: TransactionMember | undefined;
  readonly generation: Generation;
  readonly points: readonly OffsetPoint[];
}

/** Takes the place of the commits of all groups of one run. */
export class ExactlyOnce implements Committer, TransactionScope {
  readonly undoes = true;
  readonly producer: TransactionalProducer;
  private readonly clock: Clock;
  private readonly intervalMs: number;
  private readonly isOwnId: boolean;
  private readonly fail: (cause: unknown) => void;
  private readonly members = new Set<TransactionMember>();
  private readonly stopping = sharedAbort();
  /** Ends are made one at a time. */
  private queue: Promise<unknown> = Promise.resolve();
  private current: Promise<unknown> = Promise.resolve();
  private interrupt: AbortController | undefined;
  private undoing: Promise<void> | undefined;
  private brokenInARow = 0;
  private closed = false;

  private constructor(
    name: string,
    cluster: Cluster,
    options: RunOptions,
    transactions: TransactionOptions,
    fail: (cause: unknown) => void,
  ) {
    const { transactionalId, timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS } = transactions;
    this.clock = cluster.clock;
    this.intervalMs = intervalMs;
    this.isOwnId = transactionalId === undefined;
    this.fail = fail;
    const part = (): string => Math.floor(cluster.random() * 2 ** 32).toString(36);
    this.producer = new TransactionalProducer(
      cluster,
      {
        ...options.producer,
        transactionalId: transactionalId ?? `${name}-${part()}${part()}`,
        transactionTimeoutMs: timeoutMs,
      },
      { onBroken: (error) => this.broken(error), allowsRefused: true },
    );
  }

  /** Undefined for a run that is not exactly once. @throws UsageError for an option that makes no sense. */
  static of(
    name: string,
    client: StreamClient,
    options: RunOptions,
    fail: (cause: unknown) => void,
  ): ExactlyOnce | undefined {
    const { guarantee = 'at-least-once', transactions, producer } = options;
    if (guarantee === 'at-least-once') {
      if (transactions === undefined) return undefined;
      throw new UsageError("transactions is for guarantee 'exactly-once'", 'transactions');
    }
    if (guarantee !== 'exactly-once')
      throw new UsageError(
        `guarantee must be 'at-least-once' or 'exactly-once'; got ${JSON.stringify(guarantee)}`,
        'guarantee',
      );
    for (const option of ['transactionalId', 'transactionTimeoutMs'] as const)
      if (producer?.[option] !== undefined)
        throw new UsageError(
          `producer.${option} is not for a topology; see transactions`,
          `producer.${option}`,
        );
    const { intervalMs = INTERVAL_MS } = transactions ?? {};
    if (!Number.isInteger(intervalMs) || intervalMs < 1 || intervalMs > 2 ** 31 - 1)
      throw new UsageError(
        `transactions.intervalMs must be a whole number above zero, not ${String(intervalMs)}`,
        'transactions.intervalMs',
      );
    if (client.cluster === undefined)
      throw new UsageError(
        "guarantee 'exactly-once' needs this library's own client: run the topology with new Kafka({ brokers }), or with 'at-least-once'",
        'guarantee',
      );
    return new ExactlyOnce(name, client.cluster, options, transactions ?? {}, fail);
  }

  /** Takes the transactional id; the claims wait for it. Rejects with what fails the run. */
  start(): Promise<void> {
    const started = this.initialize();
    this.queue = started.catch((cause: unknown) => {
      if (!this.closed) this.fail(cause);
    });
    return started;
  }

  groupOptions(options: GroupConsumerOptions): GroupConsumerOptions {
    return {
      ...options,
      committer: this,
      commitIntervalMs: this.intervalMs,
      isolationLevel: options.isolationLevel ?? 'read_committed',
    };
  }

  join(member: TransactionMember): void {
    this.members.add(member);
    if (this.producer.status === 'in-transaction' && this.undoing === undefined) member.proceed();
  }

  /** Ends the transaction with the offsets of all claims, these among them. */
  commit(points: readonly OffsetPoint[], generation: Generation, { signal }: CommitOptions): Promise<void> {
    const done = this.queue.then(async () => {
      while (this.undoing !== undefined) await this.undoing;
      const end = this.end(points, generation, signal);
      this.current = end.catch(() => undefined);
      await end;
    });
    this.queue = done.catch(() => undefined);
    return done;
  }

  undo(cause: unknown): void {
    this.undoAfter(cause, 0);
  }

  /** A claim starts over, and with it all others; resolves when that is possible. */
  undone(): Promise<void> {
    if (this.undoing === undefined) this.undo(new Error('a claim starts over'));
    return this.undoing ?? Promise.resolve();
  }

  /** The run ends: what is held now is not waited for any more. */
  stop(): void {
    this.stopping.abort(new Error('the topology ends'));
  }

  /** The sources are drained, and the producer closes. */
  close(): void {
    this.closed = true;
    this.interrupt?.abort(new Error('the topology ended'));
  }

  private async initialize(): Promise<void> {
    await this.producer.init();
    this.begin();
  }

  private begin(): void {
    this.producer.begin();
    for (const member of this.members) member.proceed();
  }

  private async end(
    points: readonly OffsetPoint[],
    generation: Generation,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.producer.status !== 'in-transaction') throw notCommitted('there is no transaction');
    for (const member of this.members) member.suspend();
    const interrupt = new AbortController();
    this.interrupt = interrupt;
    const joined = new JoinedSignal(signal === undefined ? [interrupt.signal] : [interrupt.signal, signal]);
    const waiting = joined.signal;
    try {
      const settled = [...this.members].map((member) => member.whenSettled(waiting, this.stopping.signal));
      void Promise.allSettled(settled).then(() => joined.release());
      await Promise.all(settled);
      waiting.throwIfAborted();
      // From here on whatever happens to a claim, its offset goes with all that was made of it.
      const parts = this.parts(points, generation);
      for (const part of parts) await this.producer.sendOffsets(part.points, part.generation);
      await this.commitTransaction();
      for (const part of parts) part.member?.committed(part.points);
      this.brokenInARow = 0;
      this.producer.begin();
    } catch (cause) {
      this.undo(cause);
      throw told(cause);
    } finally {
      this.interrupt = undefined;
    }
    if (this.undoing === undefined) for (const member of this.members) member.proceed();
  }

  private async commitTransaction(): Promise<void> {
    for (;;) {
      try {
        await this.producer.commit();
        return;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || this.stopping.signal.aborted) throw error;
      }
    }
  }

  private parts(points: readonly OffsetPoint[], generation: Generation): Part[] {
    const parts: Part[] = [];
    let rest = points;
    for (const member of this.members) {
      const isOfCaller = member.groupId === generation.groupId;
      const moved = member.points();
      const known = isOfCaller ? points.filter((point) => member.knows(point)) : [];
      for (const point of known)
        if (!member.reaches(point)) throw notCommitted(`${point.topic}-${point.partition} starts over`);
      if (isOfCaller) rest = rest.filter((point) => !known.includes(point));
      if (moved.length === 0) continue;
      const current = isOfCaller ? generation : member.generation;
      if (current === undefined)
        throw notCommitted(`the member of group ${member.groupId} has no generation`);
      parts.push({ member, generation: current, points: moved });
    }
    // Starts that are committed before their partitions are claimed.
    if (rest.length > 0) parts.push({ member: undefined, generation, points: rest });
    return parts;
  }

  private broken(error: BrokerError): void {
    this.brokenInARow += 1;
    this.undoAfter(error, FIRST_PAUSE_MS * 2 ** (this.brokenInARow - 1));
  }

  // What is handed over, and what is lost, must be so before anybody is told of a failure: a record that failed with its transaction is read again.
  private undoAfter(cause: unknown, delayMs: number): void {
    if (this.undoing !== undefined || this.closed) return;
    for (const member of this.members) member.suspend();
    this.undoing = this.restart(cause, delayMs);
    this.interrupt?.abort(cause);
    for (const member of this.members) member.undo(0);
  }

  /** Never rejects: claims wait for it to start over. */
  private async restart(cause: unknown, delayMs: number): Promise<void> {
    try {
      await this.current;
      tellOfUndoing({ transactionalId: this.producer.transactionalId, cause });
      await this.abortTransaction();
      if (this.brokenInARow > MAX_BROKEN_IN_A_ROW) throw cause;
      if (delayMs > 0) await delay(this.clock, delayMs, this.stopping.signal).catch(() => undefined);
      this.undoing = undefined;
      this.begin();
    } catch (error) {
      this.undoing = undefined;
      if (!this.closed) this.fail(error);
    }
  }

  private async abortTransaction(): Promise<void> {
    const { producer } = this;
    for (;;) {
      try {
        if (['in-transaction', 'abortable-error', 'aborting'].includes(producer.status))
          await producer.abort();
        if (producer.status === 'fatal-error') await this.takeBack();
        if (producer.status === 'uninitialized') await producer.init();
        return;
      } catch (error) {
        if (error instanceof TransactionFatalError && this.mayTakeBack(error)) continue;
        if (!(error instanceof OutcomeUnknownError) || this.stopping.signal.aborted) throw error;
      }
    }
  }

  private async takeBack(): Promise<void> {
    const error = this.producer.failure;
    if (error !== undefined && !this.mayTakeBack(error)) throw error;
    await this.producer.takeOver();
  }

  private mayTakeBack(error: BrokerError): boolean {
    return this.isOwnId && !this.closed && TAKEN_BACK.has(error.errorName);
  }
}

function notCommitted(why: string): BrokerError {
  const message = `The offsets are not committed: ${why}`;
  return new BrokerError('TRANSACTION_ABORTABLE', message, { retriable: true });
}

function told(cause: unknown): unknown {
  if (cause instanceof BrokerError && OF_THE_GROUP.has(cause.errorName)) return cause;
  return notCommitted(cause instanceof Error ? cause.message : String(cause));
}
