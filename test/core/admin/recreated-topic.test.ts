import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../../src/core/client.ts';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/testing/simulation/virtual-clock.ts';

describe('a topic that this client deleted and created again', () => {
  it('is what a new producer of the client writes to', async () => {
    const clock = new VirtualClock();
    const random = seededRandom('recreated');
    const box = await createBroker({ listen: 'memory', clock, random, topics: { orders: 1 } });
    const kafka = new Kafka({ brokers: box.bootstrap }, { clock, random, transport: box.transport });
    const write = async (value: string): Promise<number> => {
      const producer = kafka.producer();
      const { offset } = await clock.run(producer.sendAsync('orders', { value }));
      await clock.run(producer.close());
      return offset;
    };
    await write('of the old one');
    expect(await write('of the old one too')).toBe(1);
    await clock.run(kafka.admin().deleteTopics(['orders']));
    await clock.run(kafka.admin().createTopics([{ name: 'orders', partitions: 1 }]));
    expect(await write('of the new one')).toBe(0);
    await kafka.close();
    await box.close();
  });
});
