// A topic shared with a group as the source of the transactional copier. A partition that is asked back is given away when the transaction with its
// records has ended: until then they are unsettled, which the group waits for.

import {
  GroupConsumer,
  type ClaimListener,
  type Committer,
  type FetchedRecord,
  type GroupClaim,
  type GroupConsumerOptions,
  type GroupListener,
  type GroupMetadata,
  type Kafka,
  type RebalanceEvent,
  type TransactionOffset,
} from '../core/index.ts';
import type { Clock } from '../core/clock.ts';
import type { KafkaError } from '../errors.ts';
import { RecordQueue, type CopySource } from './copy-source.ts';

const ISOLATION = 'read_committed';
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 3_000;
const DRAIN_MS = 90_000;

/** Offsets are committed by the transactions alone. */
const NO_COMMITS: Committer = { commit: () => Promise.resolve() };

/** What is read, and how it is committed. */
export interface GroupPlan {
  readonly topic: string;
  readonly groupId: string;
  /** Records of one poll at most. */
  readonly pollRecords: number;
  /** Offsets go with the member's id and generation (KIP-447). */
  readonly usesMetadata: boolean;
  /** How it is read beyond that. */
  readonly consumer: Partial<GroupConsumerOptions>;
}

/** A record that was handed over, with the claim it came from. */
interface Handed {
  readonly claim: GroupClaim;
  readonly record: FetchedRecord;
  readonly sequence: number;
}

/** Reads what the group gives it. */
export class GroupSource implements CopySource, GroupListener {
  private readonly kafka: Kafka;
  private readonly plan: GroupPlan;
  private readonly consumer: GroupConsumer;
  private readonly queue: RecordQueue<Handed>;
  /** Told with each rebalance that is through: how much there is to copy. */
  private readonly onRebalanced: (remaining: number) => void;
  private readonly claims = new Map<string, GroupClaim>();
  /** Partitions whose next claim is a new beginning of the last one. */
  private readonly rewound = new Set<string>();
  private fresh: GroupClaim[] = [];
  private isAssigned = false;
  private polled: readonly Handed[] = [];
  private failure: KafkaError | undefined;

  constructor(kafka: Kafka, plan: GroupPlan, clock: Clock, onRebalanced: (remaining: number) => void) {
    this.kafka = kafka;
    this.plan = plan;
    this.onRebalanced = onRebalanced;
    this.queue = new RecordQueue(clock);
    const { topic, groupId, pollRecords } = plan;
    this.consumer = new GroupConsumer(
      kafka.cluster,
      {
        sessionTimeoutMs: SESSION_MS,
        heartbeatIntervalMs: HEARTBEAT_MS,
        drainTimeoutMs: DRAIN_MS,
        ...plan.consumer,
        groupId,
        topics: [topic],
        from: 'earliest',
        outOfRange: 'earliest',
        isolationLevel: ISOLATION,
        credit: { records: 2 * pollRecords },
        committer: NO_COMMITS,
      },
      this,
    );
  }

  start(): void {
    this.consumer.start();
  }

  get group(): GroupMetadata {
    const { groupId, usesMetadata } = this.plan;
    if (!usesMetadata) return { groupId };
    const { memberId, generation } = this.consumer;
    return { groupId, memberId, generationId: generation };
  }

  get isLost(): boolean {
    return this.polled.some(({ claim }) => claim.dead);
  }

  async poll(most: number, stop: AbortSignal): Promise<readonly FetchedRecord[]> {
    this.polled = await this.queue.poll(most, stop, () => this.look());
    return this.polled.map(({ record }) => record);
  }

  positions(): TransactionOffset[] {
    return [...this.claims.values()].map((claim) => {
      const { topic, partition } = claim;
      const next = this.queue.find((handed) => handed.claim === claim);
      return { topic, partition, offset: next?.record.offset ?? claim.position };
    });
  }

  committed(): void {
    const { polled } = this;
    this.polled = [];
    for (const { claim, sequence } of polled) claim.settle(sequence);
  }

  undone(): Promise<void> {
    const { polled } = this;
    this.polled = [];
    for (const claim of new Set(polled.map((handed) => handed.claim))) {
      this.drop(claim);
      // Its position is beyond what is undone.
      if (this.claims.get(keyOf(claim)) === claim) this.claims.delete(keyOf(claim));
      if (claim.revoking.aborted) {
        for (const handed of polled) if (handed.claim === claim) claim.hold(handed.sequence);
      } else if (!claim.dead) {
        this.rewound.add(keyOf(claim));
        claim.rewind(0);
      }
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.consumer.abort('it is stopped');
  }

  onClaim(claim: GroupClaim): void {
    if (this.rewound.delete(keyOf(claim))) this.read(claim);
    else this.fresh.push(claim);
  }

  onAssigned(): void {
    this.isAssigned = true;
    this.queue.interrupt();
  }

  onRebalance({ kind, topic, partition, claimEpoch }: RebalanceEvent): void {
    if (kind === 'claimed') return;
    const key = keyOf({ topic, partition });
    this.rewound.delete(key);
    this.claims.delete(key);
    this.fresh = this.fresh.filter((claim) => claim.claimEpoch !== claimEpoch || keyOf(claim) !== key);
  }

  onFailed(error: KafkaError): void {
    this.failure = error;
    this.queue.interrupt();
  }

  /** What came of the group since the last look. */
  private async look(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    while (this.isAssigned) {
      this.isAssigned = false;
      const { topic } = this.plan;
      const { fresh } = this;
      const partitions = fresh.map(({ partition }) => partition);
      const ends =
        fresh.length === 0
          ? []
          : await this.kafka.admin().listOffsets(topic, 'latest', { partitions, isolationLevel: ISOLATION });
      // Some may be gone by now, and others have come, which a further look deals with.
      const begun = fresh.filter((claim) => this.fresh.includes(claim));
      this.fresh = this.fresh.filter((claim) => !begun.includes(claim));
      let remaining = 0;
      for (const claim of begun)
        remaining += ends.find(({ partition }) => partition === claim.partition)!.offset - claim.startOffset;
      this.onRebalanced(remaining);
      for (const claim of begun) this.read(claim);
    }
  }

  private read(claim: GroupClaim): void {
    this.claims.set(keyOf(claim), claim);
    const listener: ClaimListener = {
      onRecord: (record, sequence) => this.queue.push({ claim, record, sequence }),
      onPressure: () => undefined,
      onEnd: () => undefined,
      onError: (error) => this.onFailed(error),
      onLost: () => void this.drop(claim),
      // They are for the next owner.
      onRevoking: () => {
        for (const { sequence } of this.drop(claim)) claim.hold(sequence);
      },
    };
    claim.start(listener);
  }

  private drop(claim: GroupClaim): readonly Handed[] {
    return this.queue.remove((handed) => handed.claim === claim);
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}
