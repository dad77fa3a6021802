import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup, QUICK } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('X-06: topics by pattern, with exceptions', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('a new topic that matches is read after a refresh; one that is excluded never', async () => {
    group = await ClassicGroup.create(1);
    const base = group.topic;
    await group.createTopic(`${base}-secret-a`, 1);
    const member = group.join({ topics: new RegExp(`^${base}`, 'g'), excludeTopics: /-secret-/g });
    await group.balanced([member, 1]);
    await group.createTopic(`${base}-more`, 2);
    await group.createTopic(`${base}-secret-b`, 1);
    await group.produce([1, 1], `${base}-more`);
    await group.produce([1], `${base}-secret-b`);
    // Far sooner than Kafka's refresh of five minutes.
    await until('the new topic', () => member.taken.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 2 * QUICK.metadataMaxAgeMs));
    expect(member.owned).toEqual([`${base}-0`, `${base}-more-0`, `${base}-more-1`]);
  });

  it('names can be excluded from names and from patterns', async () => {
    group = await ClassicGroup.create(1);
    await group.createTopic(`${group.topic}-b`, 1);
    const both = [group.topic, `${group.topic}-b`];
    const one = group.join({ topics: both, excludeTopics: [both[1]!] });
    await group.balanced([one, 1]);
    expect(one.partitions(both[0]!)).toEqual([0]);
  });
});
