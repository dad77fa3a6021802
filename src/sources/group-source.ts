// A consumer group as Claims: the client's claims come in, a Flow for each goes out.
import { Subject, type Subscriber } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { GroupClaim } from '../core/group/claim.ts';
import type { GroupListener, RebalanceEvent } from '../core/group/listener.ts';
import type { RecordGroup } from '../core/group/record-group.ts';
import { isBrokenPeer } from '../core/network/broken-peer.ts';
import { UsageError, type KafkaError } from '../errors.ts';
import type { Claim } from '../flow/claim.ts';
import { createClaims, type Claims, type Rebalance } from '../flow/claims.ts';
import type { ErrorPolicy } from '../flow/policy.ts';
import {
  currentFailureSink,
  type PartitionStanding,
  type RunningSource,
  type StuckRecord,
} from '../flow/runtime.ts';
import type { DeliveryProblem, SourceCommitter } from '../flow/settlement.ts';
import type { ConsumerRecord } from '../core/records/types.ts';
import { ClaimKeeper, type KeeperSource } from './claim-keeper.ts';
import { claimFlow } from './claim-source.ts';
import type { ClusterRuntime } from './cluster-runtime.ts';
import type { Formats, GroupOptions } from './options.ts';
import { RetryReading, retryGroupOptions, retryPlanOf } from './retry-reading.ts';
import { decodersOf, subscribedTopics, type Topics } from './topic-formats.ts';

/** Options of `fromGroup` in every form. */
export type AnyGroupOptions = GroupOptions & Formats<unknown, unknown> & { readonly topics: Topics };

type AnyRecord = ConsumerRecord<unknown, unknown>;

const DRAIN_TIMEOUT_MS = 30_000;
/** After so many commits in a row, each repeated up to its deadline, that ended in an answer which cannot be read. */
const MAX_BROKEN_COMMITS = 2;

class GroupSource implements GroupListener, KeeperSource, RunningSource {
  readonly clock: Clock;
  readonly ready: Promise<void>;
  readonly onDecodeError: ErrorPolicy | undefined;
  readonly canRewind = true;
  readonly isTransactional: boolean;
  readonly committer: SourceCommitter;
  private readonly runtime: ClusterRuntime;
  private readonly failed = currentFailureSink();
  private readonly claims: Subscriber<Claim<AnyRecord>>;
  private readonly rebalances: Subject<Rebalance>;
  private readonly consumer: RecordGroup;
  private readonly decoderOf: ReturnType<typeof decodersOf>;
  private readonly retries: RetryReading | undefined;
  private readonly keepers = new Map<string, ClaimKeeper>();
  private readonly drainTimeoutMs: number;
  private left = 0;
  private stopping = false;
  private brokenCommits = 0;
  private ended = false;
  private resolveReady: () => void = () => undefined;
  private rejectReady: (cause: unknown) => void = () => undefined;

  constructor(
    runtime: ClusterRuntime,
    options: AnyGroupOptions,
    claims: Subscriber<Claim<AnyRecord>>,
    rebalances: Subject<Rebalance>,
  ) {
    this.runtime = runtime;
    this.clock = runtime.client.clock;
    this.onDecodeError = options.onDecodeError;
    this.claims = claims;
    this.rebalances = rebalances;
    this.decoderOf = decodersOf(options.topics, options);
    this.drainTimeoutMs = options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    this.ready.catch(() => undefined);
    const { start, topics, retryTopics, ...tuning } = options;
    const { transactions, client } = runtime;
    const plan = retryTopics === undefined ? undefined : retryPlanOf(options);
    const names = subscribedTopics(topics);
    const settings = {
      ...tuning,
      topics: names,
      from: start,
      ...retryGroupOptions(plan, names, options.groupProtocol),
    };
    this.consumer = client.openGroup(
      transactions === undefined ? settings : transactions.groupOptions(settings),
      this,
    );
    if (this.consumer.transaction !== undefined) transactions?.join(this.consumer.transaction);
    if (plan !== undefined)
      this.retries = new RetryReading(
        {
          clock: this.clock,
          cluster: client.cluster,
          isolationLevel: transactions === undefined ? options.isolationLevel : 'read_committed',
          fail: (cause) => this.fail(cause),
        },
        plan,
        subscribedTopics(topics),
        this.decoderOf,
      );
    this.committer = this.consumer;
    this.isTransactional = transactions !== undefined;
    runtime.flow?.register(this);
    this.consumer.start();
  }

  onClaim(claim: GroupClaim): void {
    const id = `${claim.topic}-${claim.partition}`;
    let keeper = this.keepers.get(id);
    if (keeper === undefined) {
      keeper = new ClaimKeeper(this);
      this.keepers.set(id, keeper);
    }
    keeper.begin(claim);
    const { retries } = this;
    const decoder = retries?.decoderFor(claim.topic) ?? this.decoderOf(claim.topic);
    this.claims.next(claimFlow(retries?.claimFor(claim) ?? claim, decoder, keeper));
  }

  onAssigned(): void {
    this.resolveReady();
  }

  onRebalance(event: RebalanceEvent): void {
    if (event.kind === 'lost')
      this.runtime.transactions?.undo(new Error(`the claim on ${event.topic}-${event.partition} was lost`));
    if (event.kind !== 'claimed' && !this.stopping)
      this.keepers.get(`${event.topic}-${event.partition}`)?.handedOn();
    this.rebalances.next(event);
  }

  onFailed(error: KafkaError): void {
    this.rejectReady(error);
    this.fail(error);
  }

  onCommitted(): void {
    this.brokenCommits = 0;
  }

  // A coordinator that is down comes back; one whose answers cannot be read does not get better by asking for ever.
  onCommitFailed(error: KafkaError): void {
    this.brokenCommits = isBrokenPeer(error) ? this.brokenCommits + 1 : 0;
    if (this.brokenCommits >= MAX_BROKEN_COMMITS && !this.stopping) this.fail(error);
  }

  countIn(): void {
    this.runtime.flow?.countIn();
  }

  fail(cause: unknown): void {
    if (this.runtime.flow !== undefined) {
      this.runtime.flow.fail(cause);
      return;
    }
    if (this.stopping) return;
    this.stopping = true;
    const tell = (): void => {
      this.rebalances.complete();
      if (this.failed !== undefined) this.failed(cause);
      else this.claims.error(cause);
    };
    this.consumer.drain(this.drainTimeoutMs).then(tell, tell);
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
    return unsettled;
  }

  oldest(): StuckRecord | undefined {
    let oldest: StuckRecord | undefined;
    for (const claim of this.consumer.claims) {
      const offset = claim.firstUnsettled();
      const ageMs = claim.oldestUnsettledAgeMs();
      if (offset === undefined || ageMs <= (oldest?.ageMs ?? -1)) continue;
      oldest = { topic: claim.topic, partition: claim.partition, offset, ageMs };
    }
    return oldest;
  }

  standings(): readonly PartitionStanding[] {
    return this.consumer.claims.map((claim) => ({
      groupId: this.consumer.groupId,
      topic: claim.topic,
      partition: claim.partition,
      startOffset: claim.startOffset,
      position: claim.position,
      commitPoint: claim.firstUnsettled() ?? claim.position,
      unsettled: claim.unsettledRecords,
      ageMs: claim.oldestUnsettledAgeMs(),
      ended: false,
    }));
  }

  async drain(timeoutMs: number): Promise<void> {
    this.stopping = true;
    const { unsettled, error } = await this.consumer.drain(Math.min(timeoutMs, this.drainTimeoutMs));
    this.end(unsettled);
    if (error !== undefined && this.runtime.flow !== undefined) throw error;
  }

  async abort(reason: unknown): Promise<void> {
    this.stopping = true;
    const { unsettled } = await this.consumer.abort(reason);
    this.end(unsettled);
  }

  /** The flow is unsubscribed: in a script that is how a group is left. What was settled by now is committed. */
  close(): void {
    this.runtime.leaving.add(this.consumer.drain(0).catch(() => undefined));
  }

  // Once, whether it was drained, aborted, or one after the other: the client answers with one summary.
  private end(unsettled: number): void {
    if (this.ended) return;
    this.ended = true;
    this.left = unsettled;
    this.resolveReady();
    this.rebalances.complete();
    this.claims.complete();
  }
}

/** The Claims of a group; the group is joined when they are subscribed. */
export function groupClaims(runtime: ClusterRuntime, options: AnyGroupOptions): Claims<AnyRecord> {
  const rebalances = new Subject<Rebalance>();
  if (typeof options.groupId !== 'string' || options.groupId === '') {
    throw new UsageError(`fromGroup: 'groupId' is a name, not ${JSON.stringify(options.groupId)}`, 'groupId');
  }
  const topics = subscribedTopics(options.topics);
  if (!(topics instanceof RegExp) && topics.length === 0)
    throw new UsageError("fromGroup: 'topics' names no topic", 'topics');
  if (options.retryTopics !== undefined) retryPlanOf(options);
  return createClaims<AnyRecord>({
    name: `fromGroup '${options.groupId}'`,
    rebalances,
    open: (claims) => {
      const source = new GroupSource(runtime, options, claims, rebalances);
      return () => source.close();
    },
  });
}
