// Row G-10, beside growth: partitions whose replicas move to other racks (KIP-881). On the box, in virtual time.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Admin } from '../../src/core/admin/admin.ts';
import type { Kafka } from '../../src/core/client.ts';
import { ClassicMember, QUICK } from './programs/classic-group.ts';
import { simulatedCluster, type SimulatedCluster } from './support/simulated-cluster.ts';

type AssignorName = 'range' | 'cooperative-sticky';

describe('G-10: replicas that change racks', () => {
  let sim: SimulatedCluster;
  let admin: Admin;
  let kafka: Kafka;
  let members: ClassicMember[];

  beforeEach(async () => {
    const topics = { t: { partitions: 2, replicationFactor: 1 } };
    sim = await simulatedCluster({ racks: ['a', 'b', 'a'], topics });
    kafka = sim.client();
    admin = kafka.admin();
    members = [];
  });

  afterEach(async () => {
    for (const { consumer } of members) await sim.clock.run(consumer.drain(0));
    for (const one of [kafka, ...members.map((member) => member.kafka)]) await sim.clock.run(one.close());
    await sim.clock.run(sim.box.close());
  });

  function join(assignor: AssignorName, rackId?: string): ClassicMember {
    const options = { groupId: 'g', topics: ['t'], assignors: [assignor], rackId, ...QUICK };
    const member = new ClassicMember(options, sim.client());
    members.push(member);
    return member;
  }

  const moveTo = (...nodes: readonly number[]): Promise<void> =>
    sim.clock.run(
      admin.alterPartitionReassignments(
        nodes.map((node, partition) => ({ topic: 't', partition, replicas: [node] })),
      ),
    );

  const untilOwned = (owned: readonly string[][]): Promise<void> =>
    sim.clock.runUntil(() => String(members.map((member) => member.owned)) === String(owned));

  it.each(['range', 'cooperative-sticky'] as const)(
    'make the leader divide anew, and each member reads where it runs (%s)',
    async (assignor) => {
      await moveTo(0, 1);
      join(assignor, 'a');
      join(assignor, 'b');
      await untilOwned([['t-0'], ['t-1']]);
      await moveTo(1, 0);
      await untilOwned([['t-1'], ['t-0']]);
      const generation = members[0]!.consumer.generation;
      await sim.clock.advance(10 * QUICK.metadataMaxAgeMs);
      expect(members[0]!.consumer.generation).toBe(generation);
    },
  );

  it.each([
    ['within their rack are nothing new', ['a', 'b'], [2, 1]],
    ['are nothing to members that name none', [undefined, undefined], [1, 0]],
  ] as const)('%s', async (_, racks, moved) => {
    await moveTo(0, 1);
    for (const rack of racks) join('range', rack);
    await sim.clock.runUntil(() => members.every(({ owned }) => owned.length === 1));
    const generation = members[0]!.consumer.generation;
    await moveTo(...moved);
    await sim.clock.advance(10 * QUICK.metadataMaxAgeMs);
    expect(members[0]!.consumer.generation).toBe(generation);
  });

  it('do not move with a broker that is down', async () => {
    await moveTo(0, 1);
    join('range', 'a');
    join('range', 'b');
    await untilOwned([['t-0'], ['t-1']]);
    const generation = members[0]!.consumer.generation;
    await sim.clock.run(sim.box.stop(1));
    await sim.clock.advance(5 * QUICK.metadataMaxAgeMs);
    await sim.clock.run(sim.box.start(1));
    await sim.clock.advance(5 * QUICK.metadataMaxAgeMs);
    expect(members[0]!.consumer.generation).toBe(generation);
  });
});
