import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { Simulation, type Member } from './harness.ts';

const OPTIONS = { assignors: ['cooperative-sticky'], heartbeatIntervalMs: 1_000 } as const;

let sim: Simulation;
beforeEach(async () => {
  sim = await Simulation.start({ orders: 4 });
});
afterEach(async () => {
  await sim.close();
  expect(sim.box.internalErrors).toEqual([]);
});

const owns = (member: Member, count: number): Promise<void> =>
  sim.clock.runUntil(() => member.open.length === count);
const drain = (...members: Member[]): Promise<unknown> =>
  sim.clock.run(Promise.all(members.map(({ consumer }) => consumer.drain(1_000))));

describe('a cooperative member', () => {
  it('gives up only what moves, in order, and each claim is opened once', async () => {
    const one = sim.member(OPTIONS).start();
    await owns(one, 4);
    for (const partition of [0, 1, 2, 3]) await sim.produce('orders', partition, 3);
    await sim.clock.runUntil(() => one.records.length === 12);
    const before = one.events.length;
    const two = sim.member(OPTIONS).start();
    await owns(two, 2);
    await owns(one, 2);
    const since = one.events.slice(before).filter((line) => !line.startsWith('committed 0'));
    expect(since.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'revoking 2',
      'revoking 3',
      'released 2',
      'released 3',
    ]);
    expect(two.claims.map(({ partition, startOffset }) => [partition, startOffset])).toEqual([
      [2, 3],
      [3, 3],
    ]);
    expect([...one.consumer.assignment]).toEqual([['orders', [0, 1]]]);
    await drain(one, two);
    expect([0, 1, 2, 3].map((partition) => sim.committed(partition))).toEqual([3, 3, 3, 3]);
  });

  it('takes back what a member that left had, without touching its own', async () => {
    const members = [sim.member(OPTIONS).start()];
    await owns(members[0]!, 4);
    members.push(sim.member(OPTIONS).start());
    await owns(members[1]!, 2);
    await owns(members[0]!, 2);
    await drain(members[1]!);
    await owns(members[0]!, 4);
    expect(members[0]!.open.map(({ partition, claimEpoch }) => [partition, claimEpoch])).toEqual([
      [0, 1],
      [1, 1],
      [2, 2],
      [3, 2],
    ]);
    await drain(members[0]!);
  });

  it('drained while it joins, commits what it kept and leaves', async () => {
    await sim.produce('orders', 0, 5);
    const one = sim.member({ ...OPTIONS, commitIntervalMs: 600_000 }).start();
    await sim.clock.runUntil(() => one.records.length === 5);
    const held = sim.box.fault({ match: { api: 'JoinGroup' }, do: fault.delay(3_000), count: Infinity });
    sim.box.fault({ match: { api: 'Heartbeat' }, do: fault.error('REBALANCE_IN_PROGRESS'), count: 1 });
    await sim.clock.runUntil(() => sim.box.requests('JoinGroup').length > 2);
    expect(one.consumer['membership'].state).toBe('joining');
    expect(one.open).toHaveLength(4);
    const summary = await sim.clock.run(one.consumer.drain(10_000));
    held.remove();
    expect(summary).toMatchObject({ committed: true, unsettled: 0 });
    expect(sim.committed(0)).toBe(5);
    expect(sim.box.group('g')?.members).toEqual([]);
  });

  it('loses what it kept when its session is over while it joins, and comes back', async () => {
    const one = sim.member({ ...OPTIONS, sessionTimeoutMs: 10_000 }).start();
    await owns(one, 4);
    const rules = ['JoinGroup', 'Heartbeat'].map((api) =>
      sim.box.fault({ match: { api }, do: fault.dropRequest, count: Infinity }),
    );
    one.consumer['membership'].requestRejoin('a test');
    await sim.clock.advance(9_000);
    expect(one.open).toHaveLength(4);
    await sim.clock.advance(3_000);
    expect(one.open).toHaveLength(0);
    expect(one.lost).toHaveLength(4);
    for (const rule of rules) rule.remove();
    await owns(one, 4);
    await drain(one);
  });

  it('commits what it kept with the next generation when the old one is refused, and reports nothing', async () => {
    const one = sim.member({ ...OPTIONS, commitIntervalMs: 200 }).start();
    await owns(one, 4);
    sim.box.fault({ match: { api: 'SyncGroup' }, do: fault.delay(2_000), count: 1 });
    one.consumer['membership'].requestRejoin('a test');
    await sim.clock.advance(500);
    await sim.produce('orders', 0, 5);
    await sim.clock.advance(5_000);
    expect(sim.committed(0)).toBe(5);
    expect(one.events.filter((line) => line.startsWith('commit failed'))).toEqual([]);
    expect(one.lost).toEqual([]);
    await drain(one);
  });
});
