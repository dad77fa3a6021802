import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fault } from '../../../../src/testing/broker/faults/fault.ts';
import { Simulation, type Member } from '../harness.ts';

let simulation: Simulation;

beforeEach(async () => {
  simulation = await Simulation.start({ orders: 4 });
});

afterEach(() => simulation.close());

const openPartitions = (member: Member): number[] => member.open.map(({ partition }) => partition).sort();

function run(done: () => boolean): Promise<void> {
  return simulation.clock.runUntil(done);
}

describe('a member of the consumer protocol on the box', () => {
  it('joins, reads, commits with its epoch and leaves', async () => {
    await simulation.produce('orders', 0, 3);
    const member = simulation.member({ groupProtocol: 'consumer' }).start();
    await run(() => member.records.length === 3);
    expect(openPartitions(member)).toEqual([0, 1, 2, 3]);
    const summary = await simulation.clock.run(member.consumer.drain(1_000));
    expect(summary.committed).toBe(true);
    expect(simulation.committed(0)).toBe(3);
  });

  it('gives up only what another member gets', async () => {
    const one = simulation.member({ groupProtocol: 'consumer' }).start();
    await run(() => one.open.length === 4);
    const two = simulation.member({ groupProtocol: 'consumer' }).start();
    await run(() => two.open.length === 2 && one.open.length === 2);
    expect([...openPartitions(one), ...openPartitions(two)].sort()).toEqual([0, 1, 2, 3]);
    expect(one.events.filter((event) => event.startsWith('released'))).toHaveLength(2);
    expect(one.events.filter((event) => event.startsWith('claimed'))).toHaveLength(4);
    await simulation.clock.run(two.consumer.drain(1_000));
    await run(() => one.open.length === 4);
    await simulation.clock.run(one.consumer.drain(1_000));
  });

  it('repeats what a commit of lost claims takes back that arrives when they are claimed again in the same epoch', async () => {
    const member = simulation.member({ groupProtocol: 'consumer', commitIntervalMs: 500 }).start();
    await run(() => member.open.length === 4);
    const late = simulation.box.fault({ match: { api: 'OffsetCommit' }, do: fault.delay(10_000) });
    await simulation.produce('orders', 0, 3);
    await run(() => late.hits === 1);
    simulation.box.dropConnections();
    await run(() => simulation.committed(0) === 3);
    const { generation } = member.consumer;
    simulation.box.fault({
      match: { api: 'ConsumerGroupHeartbeat' },
      do: fault.error('FENCED_MEMBER_EPOCH'),
    });
    await run(() => member.lost.length === 4);
    await run(() => member.open.length === 4);
    expect(member.consumer.generation).toBe(generation);
    await simulation.produce('orders', 0, 3);
    await run(() => simulation.committed(0) === 6);
    await run(() => simulation.committed(0) === 3);
    await run(() => simulation.committed(0) === 6);
  });
});
