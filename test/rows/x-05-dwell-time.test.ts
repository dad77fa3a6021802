import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('X-05: dwell time is the drain: it ends when the work does, not after a fixed time', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('what is settled while it drains is committed; what is settled later is not', async () => {
    group = await ClassicGroup.create(1);
    await group.produce([5]);
    const member = group.join({ commitIntervalMs: 60_000 });
    member.settles = false;
    await until('five', () => member.taken.length === 5);
    const draining = member.consumer.drain(1_500);
    await new Promise((resolve) => setImmediate(resolve));
    for (const { claim, sequence, offset } of member.taken) if (offset < 3) claim.settle(sequence);
    const { partitions, committed } = await draining;
    expect(committed).toBe(true);
    expect(partitions[0]).toMatchObject({ committedOffset: 3, unsettled: 2, firstUnsettled: 3 });
    const { claim } = member.taken[0]!;
    const late = claim.lateSettles;
    for (const { sequence, offset } of member.taken) if (offset >= 3) claim.settle(sequence);
    expect(claim.lateSettles).toBe(late + 2);
    expect(await group.committed(0)).toBe(3);
  });

  it('with nothing in flight nobody waits', async () => {
    group = await ClassicGroup.create(1);
    const member = group.join();
    await group.balanced([member, 1]);
    const from = performance.now();
    await member.consumer.drain(30_000);
    expect(performance.now() - from).toBeLessThan(20_000);
  });
});
