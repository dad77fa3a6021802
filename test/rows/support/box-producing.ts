// A producer on the box in simulated time, for rows that need faults at will.
import { Kafka, type KafkaOptions } from '../../../src/index.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

export interface Boxed {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  readonly kafka: Kafka;
  run<T>(promise: Promise<T>): Promise<T>;
  values(topic: string, partition?: number): Promise<string[]>;
  close(): Promise<void>;
}

/** A cluster with these topics and a client of it. */
export async function startBox(
  topics: BrokerOptions['topics'],
  options: BrokerOptions = {},
  client: Partial<KafkaOptions> = {},
): Promise<Boxed> {
  const clock = new VirtualClock();
  const box = await createBroker({
    clock,
    random: seededRandom(1),
    listen: 'memory',
    latencyMs: 1,
    topics,
    autoCreateTopics: false,
    ...options,
  });
  const kafka = new Kafka(
    { brokers: box.bootstrap, ...client },
    { clock, random: seededRandom(2), transport: box.transport },
  );
  const run = <T>(promise: Promise<T>): Promise<T> => clock.run(promise);
  return {
    clock,
    box,
    kafka,
    run,
    values: async (topic, partition = 0) =>
      (await box.records(topic, partition)).map(({ value }) => String(value)),
    close: () => run(Promise.all([kafka.close(), box.close()]).then(() => undefined)),
  };
}
