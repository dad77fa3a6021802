import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-03: more members than partitions', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it.each(['range', 'cooperative-sticky'] as const)(
    '4 partitions, 7 members (%s): 4 have one each, 3 have none and stay, and step in when one leaves',
    async (assignor) => {
      group = await ClassicGroup.create(4);
      const members = Array.from({ length: 7 }, () => group.join({ assignors: [assignor] }));
      const sizes = (): string =>
        members
          .map(({ owned }) => owned.length)
          .sort()
          .join('');
      await until('one each', () => sizes() === '0001111', 20_000);
      const description = async (): Promise<string> => {
        const [found] = await group.kafka.admin().describeGroups([group.groupId]);
        return `${found!.state} ${found!.members.length}`;
      };
      await until('seven members', async () => (await description()) === 'Stable 7');
      await members.find(({ owned }) => owned.length === 1)!.leave();
      await until('one steps in', () => sizes() === '0001111', 20_000);
      expect(new Set(members.flatMap(({ owned }) => owned)).size).toBe(4);
      expect(members.flatMap(({ failures }) => failures)).toEqual([]);
    },
  );
});
