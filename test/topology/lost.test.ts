// A member that stood still for longer than its session: what it had queued for a topic is withdrawn, whatever it wakes up to first.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Kafka, text, topology } from '../../src/index.ts';
import type { Running } from '../../src/index.ts';
import { mapAsync } from '../../src/operators/index.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { SimulatedProcess } from '../../src/testing/simulation/simulated-process.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

afterEach(() => sim.close());

const RECORDS = 5;

function copier(kafka: Kafka, name: string): Running {
  return topology('copier', ({ fromGroup, toTopic }) =>
    fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
      toTopic('out', ({ value }) => ({ value: `${name} ${value}` })),
    ),
  ).start(kafka);
}

function processOf(name: string): { process: SimulatedProcess; kafka: Kafka } {
  const process = new SimulatedProcess(sim.clock, sim.box.transport);
  const { clock, transport } = process;
  return {
    process,
    kafka: new Kafka(
      { brokers: sim.box.bootstrap, clientId: name },
      { clock, transport, random: seededRandom(name) },
    ),
  };
}

describe('a claim that was lost while its process stood still', () => {
  it('has nothing appended any more: its records are written once, by the next owner', async () => {
    sim = await SimulatedCluster.start({ in: 1, out: 1 });
    await sim.sendNumbers('in', RECORDS);
    sim.box.leaderless('out', 0);
    const stale = processOf('stale');
    const first = copier(stale.kafka, 'stale');
    await sim.clock.run(first.ready);
    await sim.clock.advance(1_000);
    stale.process.stop();
    const fresh = processOf('fresh');
    const second = copier(fresh.kafka, 'fresh');
    await sim.clock.advance(60_000);
    // It wakes up to a partition that can be written again, and to a session that nobody told it has expired.
    sim.box.moveLeader('out', 0, 0);
    stale.process.resume();
    await sim.until(() => sim.committed('g', 'in') === RECORDS, first, second);
    await sim.clock.advance(30_000);
    const summaries = await sim.clock.run(Promise.all([first.drain(), second.drain()]));
    expect(summaries.map(({ unsettled }) => unsettled)).toEqual([0, 0]);
    expect(await sim.values('out')).toEqual(['0', '1', '2', '3', '4'].map((value) => `fresh ${value}`));
    await sim.clock.run(Promise.all([stale.kafka.close(), fresh.kafka.close()]));
  });

  it('aborts the calls that are under way for it, and what they answer later is written by nobody', async () => {
    sim = await SimulatedCluster.start({ in: 1, out: 1 });
    await sim.sendNumbers('in', 1);
    const stale = processOf('stale');
    const answers: ((value: string) => void)[] = [];
    const reasons: unknown[] = [];
    const first = topology('calls', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        mapAsync(
          (_, { signal }) => {
            signal.addEventListener('abort', () => reasons.push(signal.reason));
            return new Promise<string>((resolve) => answers.push(resolve));
          },
          { concurrency: 1, order: 'input' },
        ),
        toTopic('out', (value) => ({ value })),
      ),
    ).start(stale.kafka);
    await sim.until(() => answers.length === 1, first);
    stale.process.stop();
    await sim.clock.advance(60_000);
    stale.process.resume();
    await sim.until(() => reasons.length === 1, first);
    expect(reasons[0]).toMatchObject({ code: 'CLAIM_LOST', topic: 'in', partition: 0, firstUnsettled: 0 });
    answers[0]!('too late');
    await sim.until(() => answers.length === 2, first);
    answers[1]!('in time');
    await sim.until(() => sim.box.partition('out', 0).highWatermark > 0, first);
    expect(await sim.clock.run(first.drain())).toMatchObject({ unsettled: 0 });
    expect(await sim.values('out')).toEqual(['in time']);
    await sim.clock.run(stale.kafka.close());
  });
});
