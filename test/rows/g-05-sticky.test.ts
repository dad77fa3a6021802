import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-05: sticky', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it.each(['sticky', 'cooperative-sticky'] as const)(
    '%s: when a member of 3 with 12 partitions leaves, exactly its 4 move, and the rest are even',
    async (assignor) => {
      group = await ClassicGroup.create(12);
      const members = [1, 2, 3].map(() => group.join({ assignors: [assignor] }));
      await group.balanced(...members.map((member): [typeof member, number] => [member, 4]));
      const [one, two, three] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];
      const before = [one.owned, two.owned];
      const left = three.owned;
      await three.leave();
      await group.balanced([one, 6], [two, 6]);
      expect(one.owned).toEqual(expect.arrayContaining(before[0]!));
      expect(two.owned).toEqual(expect.arrayContaining(before[1]!));
      const moved = [...one.owned, ...two.owned].filter((name) => !before.flat().includes(name));
      expect(moved.sort()).toEqual(left);
      await until('quiet', () => members.every(({ failures }) => failures.length === 0));
    },
  );
});
