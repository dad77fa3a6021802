import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-10: partition growth', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it.each(['range', 'cooperative-sticky'] as const)(
    'from 1 to 4 partitions: the new ones are read from their first record after a refresh (%s)',
    async (assignor) => {
      group = await ClassicGroup.create(1);
      const member = group.join({ assignors: [assignor], from: 'latest' });
      await group.balanced([member, 1]);
      await group.kafka.admin().createPartitions([{ topic: group.topic, count: 4 }]);
      await group.produce([0, 5, 5, 5]);
      // Far sooner than Kafka's refresh of five minutes.
      await until('all of them', () => member.taken.length === 15);
      // Cooperatively the one that was there is not touched.
      expect(member.count('released')).toBe(assignor === 'range' ? 1 : 0);
    },
  );
});
