import { systemClock, type Clock } from '../../core/clock.ts';
import type { GroupClaim } from '../../core/group/claim.ts';
import type { DrainSummary, GroupListener, RebalanceEvent } from '../../core/group/listener.ts';
import { summarize } from '../../core/group/listener.ts';
import { resolveGroupTimes, type GroupConsumerOptions } from '../../core/group/options.ts';
import { OwnedPartition } from '../../core/group/owned-partition.ts';
import type { OpenGroupFunction, RecordGroup } from '../../core/group/record-group.ts';
import { sharedAbort } from '../../core/shared-abort.ts';
import { UsageError, type KafkaError } from '../../errors.ts';
import { MockPartition } from './mock-partition.ts';

/** A claim that the group will give out. */
interface Promised {
  readonly partition: MockPartition;
  readonly startOffset: number;
  owned: OwnedPartition | undefined;
}

/** Where a claim of a {@link MockGroup} begins. */
export interface MockClaimStart {
  /** Default 0. */
  readonly offset?: number | undefined;
  /** Of the commit that it begins at. Default ''. */
  readonly metadata?: string | undefined;
}

/**
 * Stands in for `GroupConsumer` in a test of code that uses `sluice/core`: its `open` answers with a member that is given the claims which were expected before,
 * and that lives through what the test does to them: revoked, lost, rewound by the code itself, drained. `close()` rejects with all that was not as
 * expected: a member that was never started, and what the partitions themselves were told to expect.
 *
 * @example
 * ```ts
 * const group = new MockGroup();
 * const orders = group.expectClaim('orders', 0).expectSettledOnClose();
 * orders.yieldRecord({ key: 'a', value: '5' });
 * const service = startService(group.open);       // in the real program: (options, listener) => new GroupConsumer(kafka.cluster, options, listener)
 * await group.revoke(orders);
 * expect(group.committed(orders)).toBe(1);
 * await service.stop();
 * await group.close();
 * ```
 */
export class MockGroup implements AsyncDisposable {
  private readonly clock: Clock;
  private readonly promised: Promised[] = [];
  private readonly violations: string[] = [];
  private member: MockMember | undefined;
  private closing: Promise<void> | undefined;

  /** `clock` is that of drain timeouts and of the ages of records; default the system's. */
  constructor({ clock = systemClock }: { readonly clock?: Clock | undefined } = {}) {
    this.clock = clock;
  }

  /** To be injected where the real program has `(options, listener) => new GroupConsumer(kafka.cluster, options, listener)`. */
  readonly open: OpenGroupFunction = (options, listener) => {
    if (this.member !== undefined) throw this.violated('a second member was made');
    this.member = new MockMember(options, listener, this.promised, this.clock);
    return this.member;
  };

  /** The member will be given this partition when it starts. What it is to read is yielded by the answer. */
  expectClaim(
    topic: string,
    partition: number,
    { offset = 0, metadata = '' }: MockClaimStart = {},
  ): MockPartition {
    if (this.promised.some((one) => one.partition.topic === topic && one.partition.partition === partition))
      throw new UsageError(`MockGroup: ${topic}-${partition} is expected already`, 'partition');
    const made = new MockPartition(topic, partition, this.clock);
    made.commitMetadata = metadata;
    this.promised.push({ partition: made, startOffset: offset, owned: undefined });
    return made;
  }

  /** Gives the claim away in order: revoked, drained, committed, released. Resolves when it is over. */
  revoke(partition: MockPartition): Promise<void> {
    return this.memberOf(partition).revoke(this.promiseOf(partition).owned!);
  }

  /** Takes the claim away: nothing of it is committed. */
  lose(partition: MockPartition, why = 'the test took it away'): void {
    this.memberOf(partition).lose(this.promiseOf(partition).owned!, why);
  }

  /** The group cannot go on: every claim is lost, and the code is told. */
  fail(error: KafkaError): void {
    if (this.member?.isStarted !== true) throw new UsageError('MockGroup: no member was started');
    this.member.fail(error);
  }

  /** The offset committed last; undefined without a commit. */
  committed(partition: MockPartition): number | undefined {
    this.promiseOf(partition);
    return this.member?.committed.get(partition);
  }

  /** Rejects when not everything was as expected. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(): Promise<void> {
    // What was just yielded is handed over first.
    await Promise.resolve();
    const lines = [...this.violations];
    if (this.member === undefined) lines.push('no member was made');
    else if (!this.member.isStarted) lines.push('the member was not started');
    else for (const { partition } of this.promised) lines.push(...partition.complaints());
    for (const { partition } of this.promised) partition.close();
    if (lines.length === 0) return;
    throw new Error(`MockGroup: not all was as expected${lines.map((one) => `\n  ${one}`).join('')}`);
  }

  private promiseOf(partition: MockPartition): Promised {
    const found = this.promised.find((one) => one.partition === partition);
    if (found !== undefined) return found;
    throw new UsageError(
      'MockGroup: this is not a partition that expectClaim(...) answered with',
      'partition',
    );
  }

  private memberOf(partition: MockPartition): MockMember {
    const { owned } = this.promiseOf(partition);
    if (this.member !== undefined && owned?.isOver === false) return this.member;
    throw new UsageError(`MockGroup: ${partition.topic}-${partition.partition} is not claimed`, 'partition');
  }

  private violated(what: string): UsageError {
    this.violations.push(what);
    return new UsageError(`MockGroup: ${what}`);
  }
}

/** The member that the code under test works with. Its claims are the real ones, over readers of the test. */
class MockMember implements RecordGroup {
  readonly groupId: string;
  readonly committed = new Map<MockPartition, number>();
  generation = -1;
  memberId = '';
  isStarted = false;
  private readonly options: GroupConsumerOptions;
  private readonly listener: GroupListener;
  private readonly promised: readonly Promised[];
  private readonly clock: Clock;
  private readonly drainTimeoutMs: number;
  private stopped: Promise<DrainSummary> | undefined;

  constructor(
    options: GroupConsumerOptions,
    listener: GroupListener,
    promised: readonly Promised[],
    clock: Clock,
  ) {
    this.drainTimeoutMs = resolveGroupTimes(options).drainTimeoutMs;
    this.groupId = options.groupId;
    this.options = options;
    this.listener = listener;
    this.promised = promised;
    this.clock = clock;
  }

  get claims(): readonly GroupClaim[] {
    return this.owned.filter(({ isOver }) => !isOver).map(({ claim }) => claim);
  }

  start(): void {
    if (this.isStarted || this.stopped !== undefined)
      throw new UsageError(
        `The consumer of group ${this.groupId} was started or stopped already; make a new one`,
      );
    this.isStarted = true;
    queueMicrotask(() => {
      if (this.stopped === undefined) this.assign();
    });
  }

  commit(): Promise<void> {
    for (const promise of this.promised) if (promise.owned?.isOver === false) this.commitOne(promise);
    return Promise.resolve();
  }

  drain(timeoutMs: number): Promise<DrainSummary> {
    this.stopped ??= this.stop('it is drained', timeoutMs);
    return this.stopped;
  }

  abort(reason: unknown): Promise<DrainSummary> {
    const why = reason instanceof Error ? reason.message : String(reason);
    this.stopped ??= this.stop(`it is aborted: ${why}`, 0);
    return this.stopped;
  }

  revoke(owned: OwnedPartition): Promise<void> {
    return this.giveUp(owned, 'the group rebalances', this.drainTimeoutMs, true);
  }

  lose(owned: OwnedPartition, why: string, cause?: unknown): void {
    if (owned.isOver) return;
    owned.lose(why, true, cause);
    this.tell('lost', owned);
  }

  fail(error: KafkaError): void {
    for (const owned of this.owned) this.lose(owned, error.message, error);
    void this.drain(0);
    this.listener.onFailed(error);
  }

  private get owned(): OwnedPartition[] {
    return this.promised.map(({ owned }) => owned).filter((owned) => owned !== undefined);
  }

  private assign(): void {
    this.generation = 1;
    this.memberId = 'mock-member';
    for (const promise of this.promised) {
      const { partition, startOffset } = promise;
      partition.open(startOffset, undefined, this.options.credit);
      promise.owned = new OwnedPartition(partition, undefined, {
        clock: this.clock,
        checkSession: () => false,
        generation: () => this.generation,
        onClaim: (claim) => this.listener.onClaim(claim),
      });
    }
    for (const owned of this.owned) {
      if (owned.isOver) continue;
      this.tell('claimed', owned);
      this.listener.onClaim(owned.claim);
    }
    this.listener.onAssigned?.();
  }

  private async stop(reason: string, timeoutMs: number): Promise<DrainSummary> {
    await Promise.all(this.owned.map((owned) => this.giveUp(owned, reason, timeoutMs, false)));
    return summarize(
      this.owned.map((owned) => owned.summary()),
      undefined,
    );
  }

  private async giveUp(
    owned: OwnedPartition,
    reason: string,
    timeoutMs: number,
    toGroup: boolean,
  ): Promise<void> {
    if (owned.isOver) return;
    const late = sharedAbort();
    owned.closeGate();
    if (timeoutMs > 0) owned.revoke(reason);
    else late.abort();
    const timer = this.clock.setTimeout(() => late.abort(), timeoutMs);
    const isDrained = await owned.whenDrained(late.signal);
    timer.cancel();
    if (owned.isOver) return;
    if (!isDrained) {
      owned.lose(`${reason}, and not all was settled within ${timeoutMs} ms`, toGroup);
      this.tell('lost', owned);
      if (toGroup) return;
    }
    this.commitOne(this.promised.find((promise) => promise.owned === owned)!);
    if (!isDrained) return;
    owned.release();
    this.tell('released', owned);
  }

  private commitOne({ partition, owned }: Promised): void {
    const point = owned!.point();
    this.committed.set(partition, point.offset);
    owned!.committedOffset = point.offset;
    this.listener.onCommitted?.([point]);
  }

  private tell(kind: RebalanceEvent['kind'], { claim }: OwnedPartition): void {
    const { topic, partition, claimEpoch } = claim;
    this.listener.onRebalance({ kind, topic, partition, claimEpoch });
  }
}
