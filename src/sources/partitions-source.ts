// Partitions without a group, as Claims: nothing is committed, and the flow completes when every partition has reached its end.
import { NEVER, type Subscriber } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import { delay } from '../core/clock.ts';
import type { ClaimedReader } from '../core/group/partition-claim.ts';
import type { OpenedPartitions } from '../core/stream-client.ts';
import { sharedAbort } from '../core/shared-abort.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import { UsageError } from '../errors.ts';
import type { Claim } from '../flow/claim.ts';
import { createClaims, type Claims } from '../flow/claims.ts';
import type { ErrorPolicy } from '../flow/policy.ts';
import {
  currentFailureSink,
  type PartitionStanding,
  type RunningSource,
  type StuckRecord,
} from '../flow/runtime.ts';
import type { DeliveryProblem } from '../flow/settlement.ts';
import { ClaimKeeper, type KeeperSource } from './claim-keeper.ts';
import { claimFlow } from './claim-source.ts';
import type { ClusterRuntime } from './cluster-runtime.ts';
import { Decoder } from './decoder.ts';
import type { PartitionsOptions } from './options.ts';
import { ReaderClaim, type ReaderClaimOwner } from './reader-claim.ts';

/** Options of `fromPartitions` in every form. */
export type AnyPartitionsOptions = PartitionsOptions<unknown, unknown, string>;

type AnyRecord = ConsumerRecord<unknown, unknown>;

class PartitionsSource implements KeeperSource, RunningSource, ReaderClaimOwner {
  readonly clock: Clock;
  readonly ready: Promise<void>;
  readonly onDecodeError: ErrorPolicy | undefined;
  readonly committer = undefined;
  private readonly runtime: ClusterRuntime;
  private readonly failed = currentFailureSink();
  private readonly options: AnyPartitionsOptions;
  private readonly claims: Subscriber<Claim<AnyRecord>>;
  private readonly decoder: Decoder;
  private readonly current = new Map<ClaimedReader, ReaderClaim>();
  private readonly keepers = new Map<ClaimedReader, ClaimKeeper>();
  private readonly stopping = sharedAbort();
  private open: OpenedPartitions | undefined;
  /** Claims that have nothing more to hand over. */
  private readonly ended = new Set<ReaderClaim>();
  private left = 0;
  private complete = false;

  constructor(runtime: ClusterRuntime, options: AnyPartitionsOptions, claims: Subscriber<Claim<AnyRecord>>) {
    this.runtime = runtime;
    this.options = options;
    this.claims = claims;
    this.clock = runtime.client.clock;
    this.onDecodeError = options.onDecodeError;
    this.decoder = new Decoder(options.topic, options);
    runtime.flow?.register(this);
    this.ready = this.begin();
    this.ready.catch((cause: unknown) => this.fail(cause));
  }

  get canRewind(): boolean {
    return !this.complete;
  }

  countIn(): void {
    this.runtime.flow?.countIn();
  }

  fail(cause: unknown): void {
    if (this.runtime.flow !== undefined) {
      if (!this.stopping.signal.aborted) this.runtime.flow.fail(cause);
      return;
    }
    if (this.failed !== undefined) this.failed(cause);
    else this.claims.error(cause);
  }

  onProblem(problem: DeliveryProblem & { readonly topic: string; readonly partition: number }): void {
    this.runtime.onProblem(problem);
  }

  sent(): Promise<void> {
    return this.runtime.sent();
  }

  unsettled(): number {
    let unsettled = this.left;
    for (const keeper of this.keepers.values()) unsettled += keeper.left;
    for (const reader of this.current.keys()) unsettled += reader.inFlightRecords;
    return unsettled;
  }

  oldest(): StuckRecord | undefined {
    let oldest: StuckRecord | undefined;
    for (const reader of this.current.keys()) {
      const offset = reader.firstUnsettled();
      const ageMs = reader.oldestUnsettledAgeMs();
      if (offset === undefined || ageMs <= (oldest?.ageMs ?? -1)) continue;
      oldest = { topic: reader.topic, partition: reader.partition, offset, ageMs };
    }
    return oldest;
  }

  standings(): readonly PartitionStanding[] {
    return Array.from(this.current, ([reader, claim]) => ({
      groupId: undefined,
      topic: reader.topic,
      partition: reader.partition,
      startOffset: reader.startOffset,
      position: reader.position,
      commitPoint: reader.commitPoint().offset,
      unsettled: reader.unsettledCount,
      ageMs: reader.oldestUnsettledAgeMs(),
      ended: this.ended.has(claim),
    }));
  }

  async drain(timeoutMs: number): Promise<void> {
    this.stopping.abort(new UsageError('the topology is draining'));
    for (const claim of this.current.values()) claim.revoke();
    const late = sharedAbort();
    const timer = this.clock.setTimeout(() => late.abort(), timeoutMs);
    await this.whenIdle(late.signal);
    timer.cancel();
    this.finish();
  }

  abort(): Promise<void> {
    this.finish();
    return Promise.resolve();
  }

  /** The flow was unsubscribed, or is complete: then what was handed over may still be settled. */
  release(): void {
    if (this.complete) void this.whenIdle().then(() => this.finish());
    else this.finish();
  }

  onRewind(claim: ReaderClaim, delayMs: number): void {
    for (const [reader, current] of this.current) {
      if (current === claim) void this.startOver(reader, claim, delayMs);
    }
    this.ended.delete(claim);
  }

  onEnd(claim: ReaderClaim): void {
    this.ended.add(claim);
    if (this.ended.size < this.keepers.size) return;
    this.complete = true;
    this.claims.complete();
  }

  /** Closes the readers; what is unsettled stays so. */
  private finish(): void {
    this.stopping.abort(new UsageError('the flow is unsubscribed'));
    for (const [reader, claim] of this.current) {
      this.left += reader.inFlightRecords;
      claim.lose('closed');
    }
    this.current.clear();
    this.open?.close();
    this.complete = true;
    this.claims.complete();
  }

  private async whenIdle(signal?: AbortSignal): Promise<void> {
    await Promise.allSettled([...this.current.keys()].map((reader) => reader.whenIdle(signal)));
  }

  private async begin(): Promise<void> {
    const { to, until, ...options } = this.options;
    const open = await this.runtime.client.openPartitions({
      ...options,
      to: until === 'end' ? 'latest' : to,
      signal: this.stopping.signal,
    });
    if (this.stopping.signal.aborted) {
      open.close();
      return;
    }
    this.open = open;
    for (const reader of open.readers) {
      const keeper = new ClaimKeeper(this);
      this.keepers.set(reader, keeper);
    }
    for (const reader of open.readers) this.startClaim(reader);
  }

  private startClaim(reader: ClaimedReader): void {
    const claim = new ReaderClaim(reader, this);
    const keeper = this.keepers.get(reader)!;
    this.current.set(reader, claim);
    keeper.begin(claim);
    this.claims.next(claimFlow(claim, this.decoder, keeper));
  }

  private async startOver(reader: ClaimedReader, claim: ReaderClaim, delayMs: number): Promise<void> {
    const { offset } = reader.commitPoint();
    try {
      await claim.sent();
      await delay(this.clock, delayMs, this.stopping.signal);
    } catch {
      return;
    }
    reader.reset(offset);
    this.startClaim(reader);
  }
}

/** The Claims of `fromPartitions`; positions are looked up when they are subscribed. */
export function partitionClaims(runtime: ClusterRuntime, options: AnyPartitionsOptions): Claims<AnyRecord> {
  if (typeof options.topic !== 'string' || options.topic === '') {
    throw new UsageError(`fromPartitions: 'topic' is a name, not ${JSON.stringify(options.topic)}`, 'topic');
  }
  return createClaims<AnyRecord>({
    name: `fromPartitions '${options.topic}'`,
    rebalances: NEVER,
    open: (claims) => {
      const source = new PartitionsSource(runtime, options, claims);
      return () => source.release();
    },
  });
}
