import { describe, expect, it } from '@jest/globals';
import { DEFAULT_GROUP_TIMES } from '../../src/core/group/options.ts';
import { UsageError } from '../../src/errors.ts';
import { Simulation } from '../core/group/harness.ts';

describe('X-08: defaults and use of a group consumer (mock)', () => {
  it('session 45 s, heartbeat 3 s, as Java; a member is used once; closing twice is one closing', async () => {
    expect(DEFAULT_GROUP_TIMES).toMatchObject({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 3_000 });
    const sim = await Simulation.start({ orders: 1 });
    const member = sim.member().start();
    expect(() => member.consumer.start()).toThrow(UsageError);
    await sim.clock.runUntil(() => member.open.length === 1);
    const drains = [member.consumer.drain(0), member.consumer.drain(5_000), member.consumer.abort('again')];
    const [first, ...others] = await sim.clock.run(Promise.all(drains));
    expect(others.every((other) => other === first)).toBe(true);
    expect(() => member.consumer.start()).toThrow(UsageError);
    expect(sim.box.requests('LeaveGroup')).toHaveLength(1);
    await sim.close();
  });

  it('one client serves several members at a time, unlike sarama-cluster', async () => {
    const sim = await Simulation.start({ orders: 2 });
    const { GroupConsumer } = await import('../../src/core/group/group-consumer.ts');
    const kafka = sim.client();
    const claimed: number[] = [];
    const members = [1, 2].map(
      () =>
        new GroupConsumer(
          kafka.cluster,
          { groupId: 'g', topics: ['orders'] },
          { onClaim: ({ partition }) => claimed.push(partition), onRebalance() {}, onFailed() {} },
        ),
    );
    for (const member of members) member.start();
    await sim.clock.runUntil(() => members.every(({ claims }) => claims.length === 1));
    await sim.clock.run(Promise.all(members.map((member) => member.drain(0))));
    await sim.close();
  });
});
