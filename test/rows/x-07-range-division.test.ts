import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker("X-07: range divides as Kafka's does, not rounding half up as sarama-cluster's", () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('4 partitions, 3 members: 2, 1, 1 in the order of the members', async () => {
    group = await ClassicGroup.create(4);
    const members = ['a', 'b', 'c'].map((id) => group.join({ groupInstanceId: id, assignors: ['range'] }));
    const [a, b, c] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];
    await group.balanced([a, 2], [b, 1], [c, 1]);
    expect(members.map((member) => member.partitions(group.topic))).toEqual([[0, 1], [2], [3]]);
  });
});
