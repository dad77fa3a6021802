// Operators with limits in whole topologies: nothing is lost to a pace, an outage or a time limit, and a drain does not wait for them.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { text, topology } from '../../src/index.ts';
import { circuitBreaker, mapAsync, rateLimit, retry, skip, timeout } from '../../src/operators/index.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

let sim: SimulatedCluster;

beforeEach(async () => {
  sim = await SimulatedCluster.start({ in: 1, out: 1 });
  await sim.send(
    'in',
    ['a', 'b', 'c', 'd', 'e'].map((value) => ({ value })),
  );
});

afterEach(() => sim.close());

const written = async (): Promise<string[]> =>
  (await sim.records('out')).map(({ value }) => value!.toString());

describe('rateLimit in a topology', () => {
  it('holds its pace to the end of what is read', async () => {
    const startMs = sim.clock.now();
    const running = topology('paced', ({ fromPartitions, toTopic }) =>
      fromPartitions({ topic: 'in', from: 'earliest', to: 'latest', value: text() }).pipe(
        rateLimit({ records: 1, perMs: 1_000 }),
        toTopic('out', ({ value }) => ({ value })),
      ),
    ).start(sim.kafka());
    expect(await sim.clock.run(running.done)).toEqual({ recordsIn: 5, recordsOut: 5, unsettled: 0 });
    expect(sim.clock.now() - startMs).toBeGreaterThanOrEqual(4_000);
    expect(await written()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('leaves what waits to the next member when it is drained, which is done at once', async () => {
    const paced = topology('paced', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        rateLimit({ records: 1, perMs: 60_000 }),
        toTopic('out', ({ value }) => ({ value })),
      ),
    );
    const first = paced.start(sim.kafka());
    await sim.until(() => sim.box.partition('out', 0).highWatermark === 1, first);
    const drainMs = sim.clock.now();
    expect(await sim.clock.run(first.drain())).toEqual({ recordsIn: 5, recordsOut: 1, unsettled: 4 });
    expect(sim.clock.now() - drainMs).toBeLessThan(10_000);
    const second = paced.start(sim.kafka());
    await sim.until(() => sim.box.partition('out', 0).highWatermark === 2, second);
    await sim.clock.run(second.drain());
    expect(await written()).toEqual(['a', 'b']);
  });
});

describe('circuitBreaker in a topology', () => {
  it('sits out an outage without losing or doubling a record', async () => {
    const upMs = sim.clock.now() + 60_000;
    let calls = 0;
    const running = topology('careful', ({ fromPartitions, toTopic }) =>
      fromPartitions({ topic: 'in', from: 'earliest', to: 'latest', value: text() }).pipe(
        circuitBreaker(
          async ({ value }) => {
            calls++;
            if (sim.clock.now() < upMs) throw new Error('down');
            return value;
          },
          {
            concurrency: 2,
            order: 'input',
            opensAfter: { failures: 2 },
            halfOpenAfterMs: 10_000,
            whenOpen: 'pause',
            onError: retry({ attempts: 20 }),
          },
        ),
        toTopic('out', (value) => ({ value })),
      ),
    ).start(sim.kafka());
    expect(await sim.clock.run(running.done)).toEqual({ recordsIn: 5, recordsOut: 5, unsettled: 0 });
    expect(await written()).toEqual(['a', 'b', 'c', 'd', 'e']);
    // Two that opened it, one each ten seconds, and the five that worked.
    expect(calls).toBeLessThanOrEqual(2 + 6 + 5);
  });
});

describe('timeout in a topology', () => {
  it('lets the rest of a partition be committed when one record hangs', async () => {
    const running = topology('patient', ({ fromGroup, toTopic }) =>
      fromGroup({ groupId: 'g', topics: ['in'], value: text() }).pipe(
        timeout({ withinMs: 5_000, onError: skip }),
        mapAsync(
          ({ value }) => (value === 'c' ? new Promise<string>(() => undefined) : Promise.resolve(value)),
          {
            concurrency: 1,
            order: 'input',
          },
        ),
        toTopic('out', (value) => ({ value })),
      ),
    ).start(sim.kafka());
    await sim.until(() => sim.box.partition('out', 0).highWatermark === 2, running);
    expect(await sim.clock.run(running.drain())).toMatchObject({ recordsIn: 5, unsettled: 0 });
    expect(await written()).toEqual(['a', 'b']);
  });
});
