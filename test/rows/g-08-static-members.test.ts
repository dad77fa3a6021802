import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-08: static members', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it.each(['range', 'cooperative-sticky'] as const)(
    'restarted one after the other within the session timeout, the leader too: 0 rebalances on the others (%s)',
    async (assignor) => {
      group = await ClassicGroup.create(6);
      const start = (id: number) => group.join({ groupInstanceId: `instance-${id}`, assignors: [assignor] });
      const members = [start(0), start(1), start(2)];
      await group.balanced(...members.map((member): [typeof member, number] => [member, 2]));
      const shares = members.map(({ owned }) => owned);
      const generation = members[0]!.consumer.generation;
      for (const id of [0, 1, 2]) {
        const others = members.filter((_, other) => other !== id);
        const before = others.map(({ log }) => log.filter((line) => !line.startsWith('committed')).length);
        await members[id]!.leave();
        members[id] = start(id);
        await until('its share is back', () => members[id]!.owned.join() === shares[id]!.join());
        // Stable with the generation that each member knows: none has begun since, and none is under way.
        const [described] = await group.kafka.admin().describeGroups([group.groupId]);
        expect(described).toMatchObject({ state: 'Stable' });
        expect(others.map(({ log }) => log.filter((line) => !line.startsWith('committed')).length)).toEqual(
          before,
        );
        expect(members.map(({ consumer }) => consumer.generation)).toEqual([
          generation,
          generation,
          generation,
        ]);
      }
      expect(members.flatMap(({ failures }) => failures)).toEqual([]);
    },
  );

  it('a second member of the same id fences the first, which ends; the second goes on alone', async () => {
    group = await ClassicGroup.create(2);
    await group.produce([3, 3]);
    const first = group.join({ groupInstanceId: 'twin' });
    await group.balanced([first, 2]);
    const second = group.join({ groupInstanceId: 'twin' });
    await until('the first is fenced', () => first.failures.length === 1);
    expect(first.failures[0]).toMatchObject({ errorName: 'FENCED_INSTANCE_ID' });
    expect(first.count('lost')).toBe(2);
    await group.balanced([second, 2]);
    expect(second.failures).toEqual([]);
  });
});
