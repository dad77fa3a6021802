import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Simulation } from '../core/group/harness.ts';

describe('G-11: a partition that nobody leads (mock)', () => {
  let sim: Simulation;
  beforeEach(async () => {
    sim = await Simulation.start({ orders: 3 });
  });
  afterEach(() => sim.close());

  it('its claim waits, the others do not; it starts at most 6 s after a leader is elected', async () => {
    for (const partition of [0, 1, 2]) await sim.produce('orders', partition, 4);
    sim.box.leaderless('orders', 1);
    const member = sim.member().start();
    const from = sim.clock.now();
    await sim.clock.runUntil(() => member.records.length === 8);
    expect(sim.clock.now() - from).toBeLessThan(5_000);
    await sim.clock.advance(45_000);
    expect(member.open.map(({ partition }) => partition)).toEqual([0, 2]);
    expect(member.failure).toBeUndefined();
    sim.box.moveLeader('orders', 1);
    const elected = sim.clock.now();
    await sim.clock.runUntil(() => member.records.length === 12);
    expect(sim.clock.now() - elected).toBeLessThanOrEqual(6_000);
    expect(member.claim(1)).toMatchObject({ startOffset: 0, claimEpoch: 1 });
    await sim.clock.run(member.consumer.drain(1_000));
  });

  it('given to another member while it waits, it is not opened here', async () => {
    sim.box.leaderless('orders', 2);
    const one = sim.member().start();
    await sim.clock.runUntil(() => one.open.length === 2);
    const two = sim.member().start();
    await sim.clock.runUntil(() => one.consumer.assignment.get('orders')?.length === 2);
    sim.box.moveLeader('orders', 2);
    await sim.clock.runUntil(() => one.open.length + two.open.length === 3);
    await sim.clock.advance(30_000);
    const names = [...one.open, ...two.open].map(({ partition }) => partition);
    expect(names.sort()).toEqual([0, 1, 2]);
    await sim.clock.run(Promise.all([one, two].map(({ consumer }) => consumer.drain(0))));
  });
});
