import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/core/clock.ts';
import { Producer } from '../../src/core/producer/producer.ts';
import { Simulation } from '../core/group/harness.ts';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const MOST_GAP_MS = 200;
const onBroker = brokers === undefined ? describe.skip : describe;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The longest time between two of these moments. */
function longestGap(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  return Math.max(...sorted.slice(1).map((at, before) => at - sorted[before]!));
}

onBroker('G-06: cooperative-sticky', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  it('while a fourth member joins, the partitions that stay go on without a gap, in the same claim epoch', async () => {
    group = await ClassicGroup.create(12);
    const options = { assignors: ['cooperative-sticky'] as const, credit: { records: 100 } };
    const members = [1, 2, 3].map(() => group.join(options));
    await group.balanced(...members.map((member): [typeof member, number] => [member, 4]));
    const epochs = new Map(
      members.flatMap(({ consumer }) => consumer.claims.map((one) => [one, one.claimEpoch])),
    );

    const producer = new Producer(group.kafka.cluster);
    let isOver = false;
    let stoodMs = 0;
    const acked = (sinceMs: number): void => {
      stoodMs = Math.max(stoodMs, systemClock.now() - sinceMs);
    };
    const feeding = (async () => {
      for (let last = systemClock.now(); !isOver; last = systemClock.now()) {
        for (let partition = 0; partition < 12; partition += 1)
          producer.sendAsync(group.topic, { key: null, value: 'x', partition }).then(
            () => acked(last),
            () => undefined,
          );
        await pause(10);
        // What this process could not run in, or the broker took nothing in, is nobody's gap.
        stoodMs = Math.max(stoodMs, systemClock.now() - last - 10);
      }
    })();
    await until('all are fed', () => members.every(({ taken }) => taken.length > 200));
    const from = systemClock.now();
    stoodMs = 0;
    // The first to come may have had all of them for a moment, and have given some up already.
    const released = new Map(members.map((member) => [member, member.count('released')]));
    const four = group.join(options);
    await group.balanced(...[...members, four].map((member): [typeof member, number] => [member, 3]));
    await until('the fourth is fed', () => four.taken.length > 60);
    isOver = true;
    await feeding;
    await producer.close();

    const gaps: number[] = [];
    for (const member of members) {
      expect(member.count('lost')).toBe(0);
      expect(member.count('released')).toBe(released.get(member)! + 1);
      expect(member.failedCommits).toEqual([]);
      for (const claim of member.consumer.claims) {
        expect(epochs.get(claim)).toBe(claim.claimEpoch);
        const moments = member.taken.filter((one) => one.claim === claim && one.atMs >= from - 100);
        gaps.push(longestGap(moments.map(({ atMs }) => atMs)));
      }
    }
    expect(gaps).toHaveLength(9);
    expect(Math.max(...gaps)).toBeLessThan(MOST_GAP_MS + 4 * stoodMs);
  });
});

describe('G-06 in simulated time (mock)', () => {
  it('unaffected partitions have no gap at all, and commits go on over the rebalance', async () => {
    const sim = await Simulation.start({ orders: 4 });
    const options = {
      assignors: ['cooperative-sticky'] as const,
      commitIntervalMs: 500,
      heartbeatIntervalMs: 1_000,
    };
    const one = sim.member(options).start();
    await sim.clock.runUntil(() => one.open.length === 4);
    const times: number[] = [];
    const kept = new Set([0, 1]);
    one.onRecord = ({ claim, sequence }) => {
      if (kept.has(claim.partition)) times.push(sim.clock.now());
      claim.settle(sequence);
    };
    const two = sim.member(options);
    for (let step = 0; step < 40; step += 1) {
      if (step === 10) two.start();
      for (const partition of kept) await sim.produce('orders', partition, 1);
      await sim.clock.advance(50);
    }
    await sim.clock.runUntil(() => two.open.length === 2 && one.open.length === 2);
    expect(one.open.map(({ partition, claimEpoch }) => [partition, claimEpoch])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(one.events.filter((line) => line.startsWith('released')).sort()).toEqual([
      'released 2 epoch 1',
      'released 3 epoch 1',
    ]);
    expect(one.events.filter((line) => /lost|commit failed/.test(line))).toEqual([]);
    expect(longestGap(times)).toBeLessThan(MOST_GAP_MS);
    await sim.clock.advance(1_000);
    expect([sim.committed(0), sim.committed(1)]).toEqual([40, 40]);
    await sim.clock.run(Promise.all([one, two].map(({ consumer }) => consumer.drain(0))));
    await sim.close();
  });

  it('a member that the coordinator threw out while it joins loses its claims at the next heartbeat', async () => {
    const sim = await Simulation.start({ orders: 2 });
    const { fault } = await import('../../src/testing/broker/faults/fault.ts');
    const member = sim.member({ assignors: ['cooperative-sticky'], heartbeatIntervalMs: 1_000 }).start();
    await sim.clock.runUntil(() => member.open.length === 2);
    const held = sim.box.fault({ match: { api: 'JoinGroup' }, do: fault.dropRequest, count: Infinity });
    sim.box.fault({ match: { api: 'Heartbeat' }, do: fault.error('REBALANCE_IN_PROGRESS'), count: 1 });
    await sim.clock.advance(2_500);
    expect(member.open).toHaveLength(2);
    sim.box.fault({ match: { api: 'Heartbeat' }, do: fault.error('UNKNOWN_MEMBER_ID'), count: 1 });
    await sim.clock.advance(1_500);
    expect(member.open).toHaveLength(0);
    expect(member.lost).toHaveLength(2);
    held.remove();
    await sim.clock.runUntil(() => member.open.length === 2);
    await sim.clock.run(member.consumer.drain(0));
    await sim.close();
  });
});
