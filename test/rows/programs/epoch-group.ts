// A topic and a group of the consumer protocol on a real broker, with members in this process.
import { Kafka } from '../../../src/core/client.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { GroupClaim } from '../../../src/core/group/claim.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import type { GroupListener, RebalanceEvent } from '../../../src/core/group/listener.ts';
import type { GroupConsumerOptions } from '../../../src/core/group/options.ts';
import { Producer } from '../../../src/core/producer/producer.ts';
import type { ResponseOf } from '../../../src/core/protocol/api.ts';
import { incrementalAlterConfigsApi } from '../../../src/core/protocol/messages/44-incremental-alter-configs.ts';
import { consumerGroupDescribeApi } from '../../../src/core/protocol/messages/69-consumer-group-describe.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { brokers, uniqueName } from '../../helpers/brokers.ts';
import { until } from '../../helpers/until.ts';

const GROUP_RESOURCE = 32;
const SET = 0;

/** A record, and when it came. */
export interface Seen {
  readonly partition: number;
  readonly offset: number;
  readonly atMs: number;
}

/** A member that settles at once and writes down what happens to it. */
export class EpochMember implements GroupListener {
  readonly kafka = new Kafka({ brokers: brokers! });
  readonly consumer: GroupConsumer;
  readonly seen: Seen[] = [];
  readonly events: RebalanceEvent[] = [];
  readonly failedCommits: KafkaError[] = [];
  failure: KafkaError | undefined;

  constructor(options: GroupConsumerOptions) {
    this.consumer = new GroupConsumer(this.kafka.cluster, options, this);
    this.consumer.start();
  }

  /** Partitions by topic, as `topic-partition`, sorted. */
  get owned(): string[] {
    return this.consumer.claims.map(({ topic, partition }) => `${topic}-${partition}`).sort();
  }

  count(kind: RebalanceEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  onClaim(claim: GroupClaim): void {
    claim.start({
      onRecord: ({ partition, offset }, sequence) => {
        this.seen.push({ partition, offset, atMs: systemClock.now() });
        claim.settle(sequence);
      },
      onPressure() {},
      onEnd() {},
      onError: (error) => (this.failure = error),
      onRevoking() {},
      onLost() {},
    });
  }

  onRebalance(event: RebalanceEvent): void {
    this.events.push(event);
  }

  onCommitFailed(error: KafkaError): void {
    this.failedCommits.push(error);
  }

  onFailed(error: KafkaError): void {
    this.failure = error;
  }

  async leave(): Promise<void> {
    await this.consumer.drain(2_000);
    await this.kafka.close();
  }

  /** As if the process had been killed: no word to the coordinator. */
  async kill(): Promise<void> {
    await this.kafka.close();
    await this.consumer.abort(new Error('killed')).catch(() => undefined);
  }
}

export type DescribedGroup = ResponseOf<typeof consumerGroupDescribeApi>['groups'][number];

export class EpochGroup {
  readonly topic = uniqueName('epochs');
  readonly groupId = this.topic;
  readonly kafka = new Kafka({ brokers: brokers! });
  readonly members: EpochMember[] = [];
  private readonly topics: string[] = [];

  /** The broker may not allow such short times: then everything takes longer, and is the same. */
  static async create(
    partitions: number,
    times = { sessionMs: 3_000, heartbeatMs: 300 },
  ): Promise<EpochGroup> {
    const group = new EpochGroup();
    await group.createTopic(group.topic, partitions);
    const { cluster } = group.kafka;
    const configs = [
      { name: 'consumer.session.timeout.ms', configOperation: SET, value: String(times.sessionMs) },
      { name: 'consumer.heartbeat.interval.ms', configOperation: SET, value: String(times.heartbeatMs) },
    ];
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: group.groupId, configs }];
    await cluster.send(await cluster.anyNode(), incrementalAlterConfigsApi, {
      resources,
      validateOnly: false,
    });
    return group;
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    this.topics.push(name);
    await this.kafka.admin().createTopics([{ name, partitions, replicationFactor: 1 }]);
  }

  join(options: Partial<GroupConsumerOptions> = {}): EpochMember {
    const member = new EpochMember({
      groupId: this.groupId,
      topics: [this.topic],
      groupProtocol: 'consumer',
      commitIntervalMs: 300,
      drainTimeoutMs: 2_000,
      commitTimeoutMs: 2_000,
      rebalanceTimeoutMs: 10_000,
      metadataMaxAgeMs: 1_000,
      ...options,
    });
    this.members.push(member);
    return member;
  }

  async balanced(what: string, ...shares: readonly [EpochMember, number][]): Promise<void> {
    await until(what, () => {
      const failure = shares.find(([{ failure }]) => failure !== undefined)?.[0].failure;
      if (failure !== undefined) throw failure;
      return shares.every(([{ owned }, share]) => owned.length === share);
    });
  }

  async produce(perPartition: number, partitions: number, topic = this.topic): Promise<void> {
    const producer = new Producer(this.kafka.cluster);
    const sent = Array.from({ length: perPartition * partitions }, (_, at) =>
      producer.sendAsync(topic, { key: null, value: `value ${at}`, partition: at % partitions }),
    );
    await Promise.all(sent);
    await producer.close();
  }

  async committed(): Promise<number> {
    const offsets = await this.kafka.admin().fetchOffsets(this.groupId);
    return offsets.reduce((sum, { offset }) => sum + offset, 0);
  }

  async describe(): Promise<DescribedGroup> {
    const { cluster } = this.kafka;
    const nodeId = await cluster.coordinator('group', this.groupId);
    const groupIds = [this.groupId];
    const { groups } = await cluster.send(nodeId, consumerGroupDescribeApi, {
      groupIds,
      includeAuthorizedOperations: false,
    });
    return groups[0]!;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.leave().catch(() => undefined)));
    await this.kafka
      .admin()
      .deleteGroups([this.groupId])
      .catch(() => undefined);
    await this.kafka
      .admin()
      .deleteTopics(this.topics)
      .catch(() => undefined);
    await this.kafka.close();
  }
}
