// Topologies on the box in simulated time: input, output, and a run whose clock is moved until something holds.
import { Kafka } from '../../src/core/client.ts';
import type { ProducerRecord } from '../../src/core/records/types.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import type { DumpedRecord } from '../../src/testing/broker/inspect.ts';
import type { BrokerOptions } from '../../src/testing/broker/options.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import type { Running } from '../../src/topology/types.ts';

export class SimulatedCluster {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  private readonly clients: Kafka[] = [];

  private constructor(clock: VirtualClock, box: BrokerBox) {
    this.clock = clock;
    this.box = box;
  }

  static async start(
    topics: BrokerOptions['topics'],
    options: BrokerOptions = {},
  ): Promise<SimulatedCluster> {
    const clock = new VirtualClock();
    const random = seededRandom(1);
    const box = await createBroker({
      clock,
      random,
      listen: 'memory',
      latencyMs: 1,
      topics,
      autoCreateTopics: false,
      ...options,
    });
    return new SimulatedCluster(clock, box);
  }

  kafka(clientId = `client-${this.clients.length}`): Kafka {
    const { box, clock } = this;
    const kafka = new Kafka(
      { brokers: box.bootstrap, clientId },
      { clock, random: seededRandom(clientId), transport: box.transport },
    );
    this.clients.push(kafka);
    return kafka;
  }

  async send(topic: string, records: readonly ProducerRecord[]): Promise<void> {
    const kafka = this.kafka();
    const producer = kafka.producer();
    for (const record of records)
      await this.clock.run(producer.sendAsync(topic, { partition: 0, ...record }));
    await this.clock.run(producer.close());
  }

  async sendNumbers(topic: string, count: number, partition = 0): Promise<void> {
    await this.send(
      topic,
      Array.from({ length: count }, (_, number) => ({ value: String(number), partition })),
    );
  }

  /** All records of a topic, partition by partition. */
  async records(topic: string): Promise<DumpedRecord[]> {
    const found: DumpedRecord[][] = [];
    for (let partition = 0; ; partition++) {
      try {
        this.box.partition(topic, partition);
      } catch {
        return found.flat();
      }
      found.push(await this.box.records(topic, partition));
    }
  }

  async values(topic: string): Promise<(string | null)[]> {
    return (await this.records(topic)).map(({ value }) => value?.toString() ?? null);
  }

  committed(groupId: string, topic: string, partition = 0): number | undefined {
    return this.box.committed(groupId, topic, partition)?.offset;
  }

  /** Moves time until the condition holds; rejects with the failure of a run that ends before. */
  async until(condition: () => boolean, ...running: readonly Running[]): Promise<void> {
    let failure: { readonly cause: unknown } | undefined;
    for (const one of running) one.done.catch((cause: unknown) => (failure = { cause }));
    await this.clock.runUntil(() => condition() || failure !== undefined);
    if (failure !== undefined) throw failure.cause;
  }

  async close(): Promise<void> {
    await this.clock.run(Promise.all([...this.clients.map((kafka) => kafka.close()), this.box.close()]));
  }
}
