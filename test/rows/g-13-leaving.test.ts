import { afterEach, describe, expect, it } from '@jest/globals';
import { Simulation } from '../core/group/harness.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-13: leaving', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('the others get its partitions without waiting for the session to end', async () => {
    group = await ClassicGroup.create(4);
    // A session outlives the wait for the shares.
    const times = { sessionTimeoutMs: 900_000 };
    const members = [group.join(times), group.join(times)];
    await group.balanced([members[0]!, 2], [members[1]!, 2]);
    await members[1]!.leave();
    await group.balanced([members[0]!, 4]);
    await until('one member', async () => {
      const [found] = await group.kafka.admin().describeGroups([group.groupId]);
      return found!.members.length === 1;
    });
  });
});

describe('G-13 (mock)', () => {
  it('the broker sees the leave within 100 ms of the last commit', async () => {
    const sim = await Simulation.start({ orders: 2 });
    const member = sim.member().start();
    await sim.clock.runUntil(() => member.open.length === 2);
    await sim.produce('orders', 0, 3);
    await sim.clock.runUntil(() => member.records.length === 3);
    const from = sim.clock.now();
    await sim.clock.run(member.consumer.drain(30_000));
    expect(sim.clock.now() - from).toBeLessThan(100);
    expect(sim.box.group('g')).toMatchObject({ state: 'Empty', members: [] });
    expect(sim.committed(0)).toBe(3);
    await sim.close();
  });

  it.each([
    'GROUP_AUTHORIZATION_FAILED',
    'INVALID_GROUP_ID',
    'INCONSISTENT_GROUP_PROTOCOL',
    'FENCED_INSTANCE_ID',
  ] as const)(
    'an error of the group is told once, with its cause, never dropped: %s of a join',
    async (name) => {
      const sim = await Simulation.start({ orders: 1 });
      const member = sim.member();
      sim.box.fault({ match: { api: 'JoinGroup' }, do: fault.error(name), count: Infinity });
      member.start();
      await sim.clock.runUntil(() => member.failure !== undefined);
      expect(member.failure).toMatchObject({ errorName: name });
      expect(member.events.filter((line) => line === 'failed')).toHaveLength(1);
      await sim.close();
    },
  );

  it('two hundred commits that fail are two hundred reports', async () => {
    const sim = await Simulation.start({ orders: 1 });
    const member = sim.member({ commitIntervalMs: 1_000 }).start();
    await sim.clock.runUntil(() => member.open.length === 1);
    const rule = sim.box.fault({
      match: { api: 'OffsetCommit' },
      do: fault.error('UNKNOWN_SERVER_ERROR'),
      count: 200,
    });
    await sim.produce('orders', 0, 1);
    await sim.clock.advance(230_000);
    const failed = member.events.filter((line) => line.startsWith('commit failed'));
    expect(failed).toHaveLength(200);
    rule.remove();
    expect(sim.committed(0)).toBe(1);
    await sim.clock.run(member.consumer.drain(0));
    await sim.close();
  });
});
