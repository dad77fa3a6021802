// Three brokers and a client in virtual time.
import { Kafka } from '../../../src/core/client.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

export interface SimulatedCluster {
  readonly clock: VirtualClock;
  readonly box: BrokerBox;
  /** Each has connections of its own. */
  readonly client: () => Kafka;
}

export async function simulatedCluster(options: BrokerOptions): Promise<SimulatedCluster> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const box = await createBroker({ listen: 'memory', clock, random, brokers: 3, ...options });
  const client = (): Kafka =>
    new Kafka({ brokers: box.bootstrap }, { clock, random, transport: box.transport });
  return { clock, box, client };
}

/** Sends values 'v<from>' and so on, ten each ten milliseconds, whatever happens to the cluster meanwhile. */
export async function trickle(
  { clock, client }: SimulatedCluster,
  topic: string,
  from: number,
  count: number,
  partition = 0,
): Promise<void> {
  const kafka = client();
  const producer = kafka.producer();
  const sent: Promise<unknown>[] = [];
  for (let n = from; n < from + count; n += 1) {
    sent.push(producer.sendAsync(topic, { value: `v${n}`, partition }));
    if (n % 10 === 9) await clock.advance(10);
  }
  await clock.run(Promise.all(sent), 60_000);
  await clock.run(producer.close());
  await clock.run(kafka.close());
}
