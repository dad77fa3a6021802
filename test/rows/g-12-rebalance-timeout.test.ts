import { afterEach, describe, expect, it } from '@jest/globals';
import { Simulation } from '../core/group/harness.ts';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

onBroker('G-12: work that does not end in time', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it.each(['range', 'cooperative-sticky'] as const)(
    'blocked for twice the rebalance timeout: lost at the drain deadline, rejoined, nothing committed by the old generation (%s)',
    async (assignor) => {
      group = await ClassicGroup.create(2);
      const options = {
        assignors: [assignor],
        drainTimeoutMs: 500,
        commitTimeoutMs: 300,
        rebalanceTimeoutMs: 2_000,
      };
      await group.produce([3, 3]);
      const slow = group.join(options);
      slow.settles = false;
      await until('all in hand', () => slow.taken.length === 6);
      const generation = slow.consumer.generation;
      const two = group.join(options);
      await group.balanced([slow, 1], [two, 1]);
      expect(slow.count('lost')).toBe(assignor === 'range' ? 2 : 1);
      await pause(4_000);
      slow.settleAll();
      await pause(700);
      expect(slow.consumer.generation).toBeGreaterThan(generation);
      expect(slow.failures).toEqual([]);
      // What moved is read again by the other; what the slow one did with it in the end is not committed over that.
      const moved = two.consumer.claims[0]!.partition;
      await until('what moved is read again', () => two.taken.length >= 3);
      expect(two.taken.map(({ offset }) => offset)).toEqual([0, 1, 2]);
      expect(slow.log.filter((line) => line.startsWith(`committed ${group.topic}-${moved}@3`))).toEqual([]);
      await until('both are committed', async () =>
        assignor === 'range'
          ? (await group.committed(moved)) === 3
          : (await group.committed(0)) === 3 && (await group.committed(1)) === 3,
      );
    },
  );
});

describe('G-12: synchronous work (mock)', () => {
  const blockFor = (sim: Simulation, ms: number): void => {
    const now = sim.clock.now.bind(sim.clock);
    const until = now() + ms;
    sim.clock.now = () => Math.max(now(), until);
  };

  it('shorter than the session only delays a heartbeat, and is reported', async () => {
    const sim = await Simulation.start({ orders: 1 });
    const blocked: unknown[] = [];
    const member = sim.member();
    Object.assign(member, { onBlocked: (event: unknown) => blocked.push(event) });
    member.start();
    await sim.clock.runUntil(() => member.open.length === 1);
    blockFor(sim, 30_000);
    await sim.clock.advance(40_000);
    expect(member.lost).toEqual([]);
    expect(blocked).toEqual([
      { blockedMs: expect.any(Number), sessionTimeoutMs: 45_000, isSessionOver: false },
    ]);
    const [{ blockedMs }] = blocked as [{ blockedMs: number }];
    expect(blockedMs).toBeGreaterThan(26_000);
    expect(blockedMs).toBeLessThan(30_000);
    await sim.clock.run(member.consumer.drain(0));
    await sim.close();
  });

  it('longer than the session: every claim is lost, and the report says how long it was', async () => {
    const sim = await Simulation.start({ orders: 1 });
    const blocked: unknown[] = [];
    const member = sim.member();
    Object.assign(member, { onBlocked: (event: unknown) => blocked.push(event) });
    member.start();
    await sim.clock.runUntil(() => member.open.length === 1);
    blockFor(sim, 60_000);
    await sim.clock.runUntil(() => member.lost.length === 1);
    expect(blocked).toMatchObject([{ sessionTimeoutMs: 45_000, isSessionOver: true }]);
    expect(member.lost[0]!.message).toMatch(
      /session is over; nothing else in this process ran for 5\d{4} ms/,
    );
    await sim.clock.advance(60_000);
    await sim.clock.runUntil(() => member.open.length === 1);
    await sim.clock.run(member.consumer.drain(0));
    await sim.close();
  });
});
