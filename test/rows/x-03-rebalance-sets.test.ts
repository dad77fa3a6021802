import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupOptions, Kafka } from '../../src/index.ts';
import { brokers, isKafka39, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { WatchedClaims } from './support/watched-claims.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const PARTITIONS = 4;

onBroker('X-03: rebalances are told with their exact sets, on both members', () => {
  let kafka: Kafka;
  const topic = uniqueName('x-03');
  const all = Array.from({ length: PARTITIONS }, (_, partition) => `${topic}-${partition}`);

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  async function second(
    options: GroupOptions,
  ): Promise<{ one: WatchedClaims; other: WatchedClaims; before: number }> {
    const one = new WatchedClaims([topic], options);
    await until('one has all', () => one.reads.length === PARTITIONS);
    expect(one.told('claimed')).toEqual(all);
    expect(one.rebalances).toHaveLength(PARTITIONS);
    const before = one.rebalances.length;
    const other = new WatchedClaims([topic], options);
    await until('they share', () => one.reads.length === 2 && other.reads.length === 2);
    return { one, other, before };
  }

  it('eager: the first releases all and claims its half; the second claims the other half', async () => {
    const { one, other, before } = await second({ groupId: uniqueName('x-03'), assignors: ['range'] });
    expect(one.told('released', before)).toEqual(all);
    expect(one.told('claimed', before)).toEqual(all.slice(...(one.reads[0] === all[0] ? [0, 2] : [2, 4])));
    expect(one.told('claimed', before)).toEqual(one.reads);
    expect(other.rebalances.map(({ kind }) => kind)).toEqual(['claimed', 'claimed']);
    expect(other.told('claimed')).toEqual(all.filter((name) => !one.reads.includes(name)));
    expect(one.told('lost')).toEqual([]);
    await Promise.all([one.leave(), other.leave()]);
  });

  const protocols: [string, GroupOptions][] = [
    ['cooperative', { groupId: uniqueName('x-03-c'), assignors: ['cooperative-sticky'] }],
  ];
  if (!isKafka39) protocols.push(['KIP-848', { groupId: uniqueName('x-03-848'), groupProtocol: 'consumer' }]);

  it.each(protocols)(
    '%s: what the first releases is what the second claims, and nothing else moves',
    async (_, options) => {
      const { one, other, before } = await second(options);
      const moved = one.told('released', before);
      expect(moved).toHaveLength(2);
      expect(one.rebalances).toHaveLength(before + 2);
      expect(other.told('claimed')).toEqual(moved);
      expect(other.rebalances).toHaveLength(2);
      expect(one.reads).toEqual(all.filter((name) => !moved.includes(name)));
      expect(one.told('lost')).toEqual([]);
      await Promise.all([one.leave(), other.leave()]);
    },
  );
});
