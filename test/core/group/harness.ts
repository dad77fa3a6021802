// Group consumers on the broker in the box, in simulated time.

import { Kafka } from '../../../src/core/client.ts';
import type { ClaimListener, GroupClaim } from '../../../src/core/group/claim.ts';
import type { OffsetPoint } from '../../../src/core/group/committer.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import type { GroupListener, RebalanceEvent } from '../../../src/core/group/listener.ts';
import type { GroupConsumerOptions } from '../../../src/core/group/options.ts';
import { Producer } from '../../../src/core/producer/producer.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import type { ClaimLostError, KafkaError } from '../../../src/errors.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

/** A record that is not settled yet. */
export interface Held {
  readonly claim: GroupClaim;
  readonly sequence: number;
  readonly record: FetchedRecord;
}

export class Simulation {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  private readonly clients: Kafka[] = [];
  private seed = 1;

  private constructor(clock: VirtualClock, box: BrokerBox) {
    this.clock = clock;
    this.box = box;
  }

  static async start(
    topics: { readonly [name: string]: number },
    brokers = 1,
    more: Pick<BrokerOptions, 'group' | 'versions' | 'features'> = {},
  ): Promise<Simulation> {
    const clock = new VirtualClock();
    const random = seededRandom(1);
    const box = await createBroker({
      clock,
      random,
      listen: 'memory',
      latencyMs: 1,
      brokers,
      topics,
      autoCreateTopics: false,
      ...more,
    });
    return new Simulation(clock, box);
  }

  client(): Kafka {
    const { clock, box } = this;
    const random = seededRandom((this.seed += 1));
    const kafka = new Kafka(
      { brokers: box.bootstrap, clientId: `client-${this.seed}` },
      { clock, random, transport: box.transport },
    );
    this.clients.push(kafka);
    return kafka;
  }

  member(options: Partial<GroupConsumerOptions> = {}): Member {
    return new Member(this.client(), { groupId: 'g', topics: ['orders'], ...options });
  }

  async produce(topic: string, partition: number, count: number): Promise<void> {
    const producer = new Producer(this.client().cluster);
    const sent = Array.from({ length: count }, (_, at) =>
      producer.sendAsync(topic, { key: null, value: `${partition}:${at}`, partition }),
    );
    await this.clock.run(Promise.all(sent));
    await this.clock.run(producer.close());
  }

  committed(partition: number, topic = 'orders'): number | undefined {
    return this.box.committed('g', topic, partition)?.offset;
  }

  async close(): Promise<void> {
    const closing = Promise.all([...this.clients.map((kafka) => kafka.close()), this.box.close()]);
    await this.clock.run(closing);
  }
}

/** A consumer that writes down everything it is told; it settles at once unless told not to. */
export class Member implements GroupListener {
  readonly consumer: GroupConsumer;
  readonly kafka: Kafka;
  readonly events: string[] = [];
  readonly claims: GroupClaim[] = [];
  readonly records: FetchedRecord[] = [];
  readonly commits: OffsetPoint[] = [];
  readonly lost: ClaimLostError[] = [];
  readonly held: Held[] = [];
  failure: KafkaError | undefined;
  settles = true;
  /** What a rewind waits for. */
  sent: Promise<void> = Promise.resolve();
  /** Called instead of the default when records come. */
  onRecord: ((held: Held) => void) | undefined;

  constructor(kafka: Kafka, options: GroupConsumerOptions) {
    this.kafka = kafka;
    this.consumer = new GroupConsumer(kafka.cluster, options, this);
  }

  start(): this {
    this.consumer.start();
    return this;
  }

  get open(): readonly GroupClaim[] {
    return this.consumer.claims;
  }

  claim(partition: number): GroupClaim {
    return this.claims.findLast((one) => one.partition === partition)!;
  }

  onClaim(claim: GroupClaim): void {
    this.claims.push(claim);
    this.events.push(`claim ${claim.partition} epoch ${claim.claimEpoch} at ${claim.startOffset}`);
    claim.start(this.listenTo(claim));
  }

  onRebalance({ kind, partition, claimEpoch }: RebalanceEvent): void {
    this.events.push(`${kind} ${partition} epoch ${claimEpoch}`);
  }

  onFailed(error: KafkaError): void {
    this.failure = error;
    this.events.push('failed');
  }

  onCommitted(points: readonly OffsetPoint[]): void {
    this.commits.push(...points);
    this.events.push(
      `committed ${points.map(({ partition, offset }) => `${partition}@${offset}`).join(' ')}`,
    );
  }

  onCommitFailed(error: KafkaError): void {
    this.events.push(`commit failed: ${'errorName' in error ? String(error.errorName) : error.code}`);
  }

  settleAll(): void {
    for (const { claim, sequence } of this.held.splice(0)) claim.settle(sequence);
  }

  private listenTo(claim: GroupClaim): ClaimListener {
    return {
      onRecord: (record, sequence) => {
        this.records.push(record);
        const held = { claim, sequence, record };
        if (this.onRecord !== undefined) this.onRecord(held);
        else if (this.settles) claim.settle(sequence);
        else this.held.push(held);
      },
      onPressure: () => {},
      onEnd: () => {},
      onError: (error) => this.events.push(`error ${claim.partition}: ${error.message}`),
      onRevoking: () => this.events.push(`revoking ${claim.partition} aborted ${claim.revoking.aborted}`),
      onLost: (error) => {
        this.lost.push(error);
        this.events.push(`lost claim ${claim.partition} dead ${claim.dead} aborted ${claim.lost.aborted}`);
      },
      onRewinding: () => {
        this.events.push(`rewinding ${claim.partition}`);
        return this.sent;
      },
    };
  }
}
