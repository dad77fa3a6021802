// A topic and a classic group on a real broker, with members in this process that write down what happens to them.
import { Kafka } from '../../../src/core/client.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { GroupClaim } from '../../../src/core/group/claim.ts';
import type { OffsetPoint } from '../../../src/core/group/committer.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import type { BlockedEvent, GroupListener, RebalanceEvent } from '../../../src/core/group/listener.ts';
import type { GroupConsumerOptions } from '../../../src/core/group/options.ts';
import { Producer } from '../../../src/core/producer/producer.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { brokers, uniqueName } from '../../helpers/brokers.ts';
import { until } from '../../helpers/until.ts';

/** A record that came to a member. */
export interface Taken {
  readonly claim: GroupClaim;
  readonly sequence: number;
  readonly offset: number;
  readonly atMs: number;
}

/** Settles at once unless it is told not to. */
export class ClassicMember implements GroupListener {
  readonly kafka: Kafka;
  readonly consumer: GroupConsumer;
  /** `claimed t-0 1`, `revoking t-0`, `committed t-0@5`, `released t-0 1`, ... in their order. */
  readonly log: string[] = [];
  readonly taken: Taken[] = [];
  readonly blocked: BlockedEvent[] = [];
  readonly failures: KafkaError[] = [];
  readonly readErrors: KafkaError[] = [];
  readonly failedCommits: KafkaError[] = [];
  settles = true;

  constructor(options: GroupConsumerOptions, kafka = new Kafka({ brokers: brokers! })) {
    this.kafka = kafka;
    this.consumer = new GroupConsumer(this.kafka.cluster, options, this);
    this.consumer.start();
  }

  /** As `topic-partition`, sorted. */
  get owned(): string[] {
    return this.consumer.claims.map(({ topic, partition }) => `${topic}-${partition}`).sort();
  }

  /** The partitions of one topic. */
  partitions(topic: string): number[] {
    const claims = this.consumer.claims.filter((claim) => claim.topic === topic);
    return claims.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  count(start: string): number {
    return this.log.filter((line) => line.startsWith(start)).length;
  }

  settleAll(): void {
    for (const { claim, sequence } of this.taken) claim.settle(sequence);
  }

  onClaim(claim: GroupClaim): void {
    const name = `${claim.topic}-${claim.partition}`;
    claim.start({
      onRecord: ({ offset }, sequence) => {
        this.taken.push({ claim, sequence, offset, atMs: systemClock.now() });
        if (this.settles) claim.settle(sequence);
      },
      onPressure() {},
      onEnd() {},
      onError: (error) => this.readErrors.push(error),
      onRevoking: () => this.log.push(`revoking ${name}`),
      onLost() {},
    });
  }

  onRebalance({ kind, topic, partition, claimEpoch }: RebalanceEvent): void {
    this.log.push(`${kind} ${topic}-${partition} ${claimEpoch}`);
  }

  onAssigned(): void {
    this.log.push(`assigned in generation ${this.consumer.generation}`);
  }

  onCommitted(points: readonly OffsetPoint[]): void {
    for (const { topic, partition, offset } of points)
      this.log.push(`committed ${topic}-${partition}@${offset}`);
  }

  onCommitFailed(error: KafkaError): void {
    this.failedCommits.push(error);
  }

  onBlocked(event: BlockedEvent): void {
    this.blocked.push(event);
  }

  onFailed(error: KafkaError): void {
    this.failures.push(error);
  }

  async leave(): Promise<void> {
    await this.consumer.drain(2_000);
    await this.kafka.close();
  }
}

/** Times short enough for a test; `heartbeatIntervalMs` is how soon a rebalance is heard of. */
export const QUICK = {
  heartbeatIntervalMs: 100,
  commitIntervalMs: 300,
  drainTimeoutMs: 2_000,
  commitTimeoutMs: 2_000,
  rebalanceTimeoutMs: 10_000,
  sessionTimeoutMs: 10_000,
  metadataMaxAgeMs: 1_000,
} as const;

export class ClassicGroup {
  readonly topic = uniqueName('classic');
  readonly groupId = this.topic;
  readonly kafka = new Kafka({ brokers: brokers! });
  readonly members: ClassicMember[] = [];
  private readonly topics: string[] = [];

  static async create(partitions: number): Promise<ClassicGroup> {
    const group = new ClassicGroup();
    await group.createTopic(group.topic, partitions);
    return group;
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    this.topics.push(name);
    await this.kafka.admin().createTopics([{ name, partitions, replicationFactor: 1 }]);
  }

  join(options: Partial<GroupConsumerOptions> = {}): ClassicMember {
    const member = new ClassicMember({ groupId: this.groupId, topics: [this.topic], ...QUICK, ...options });
    this.members.push(member);
    return member;
  }

  /** Waits until each member has so many claims. */
  async balanced(...shares: readonly [ClassicMember, number][]): Promise<void> {
    const counts = shares.map(([, share]) => share).join(', ');
    await until(`shares of ${counts}`, () => {
      const failed = shares.find(([{ failures }]) => failures.length > 0);
      if (failed !== undefined) throw failed[0].failures[0]!;
      return shares.every(([{ owned }, share]) => owned.length === share);
    });
  }

  /** `counts[p]` records into partition p. */
  async produce(counts: readonly number[], topic = this.topic): Promise<void> {
    const producer = new Producer(this.kafka.cluster);
    const sent = counts.flatMap((count, partition) =>
      Array.from({ length: count }, (_, at) =>
        producer.sendAsync(topic, { key: null, value: `value ${at}`, partition }),
      ),
    );
    await Promise.all(sent);
    await producer.close();
  }

  /** By partition; undefined without a commit. */
  async committed(partition: number): Promise<number | undefined> {
    const offsets = await this.kafka.admin().fetchOffsets(this.groupId);
    return offsets.find((one) => one.topic === this.topic && one.partition === partition)?.offset;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.leave().catch(() => undefined)));
    const admin = this.kafka.admin();
    await admin.deleteGroups([this.groupId]).catch(() => undefined);
    await admin.deleteTopics(this.topics).catch(() => undefined);
    await this.kafka.close();
  }
}
