// Row C-12: reading from the replica in one's own rack (KIP-392). On the box, in virtual time; on a real cluster of three in the long runs.
import { describe, expect, it } from '@jest/globals';
import { span, startReading } from './support/reading.ts';
import { simulatedCluster, trickle, type SimulatedCluster } from './support/simulated-cluster.ts';

const LEASE_MS = 30_000;

describe('C-12: the nearest replica', () => {
  async function setUp(): Promise<SimulatedCluster> {
    const topics = { t: { partitions: 1, replicationFactor: 3 } };
    const sim = await simulatedCluster({ racks: ['a', 'b', 'c'], topics });
    if (sim.box.leaderOf('t', 0) !== 0) sim.box.moveLeader('t', 0, 0);
    return sim;
  }

  /** Fetches of the reader by node, since the last call. */
  function counter({ box }: SimulatedCluster): () => number[] {
    let from = 0;
    return () => {
      const fetches = box.requests('Fetch').slice(from);
      from += fetches.length;
      return [0, 1, 2].map((node) => fetches.filter((fetch) => fetch.node === node).length);
    };
  }

  it('serves, until it is killed: then the leader does, and every record comes once', async () => {
    const sim = await setUp();
    const { clock, box } = sim;
    const kafka = sim.client();
    const fetches = counter(sim);
    const { seen, close } = await clock.run(
      startReading(kafka, { topic: 't', from: 'earliest', rackId: 'b' }),
    );
    await trickle(sim, 't', 0, 500);
    const [atLeader, atFollower, elsewhere] = fetches();
    expect(atFollower).toBeGreaterThan(20);
    expect([atLeader! <= 2, elsewhere]).toEqual([true, 0]);
    await clock.run(box.crash(1));
    await trickle(sim, 't', 500, 500);
    await clock.advance(3_000);
    expect(seen[0]!.errors).toEqual([]);
    expect(seen[0]!.offsets).toEqual(span(0, 1000));
    expect(fetches()[0]).toBeGreaterThan(20);
    await clock.run(box.start(1));
    await clock.advance(20_000);
    fetches();
    await trickle(sim, 't', 1000, 100);
    await clock.advance(1_000);
    expect(seen[0]!.offsets).toEqual(span(0, 1100));
    const [leader, follower] = fetches();
    expect(follower).toBeGreaterThan(leader!);
    close();
    await clock.run(kafka.close());
    await clock.run(box.close());
  });

  it('is read under a lease: at its end the leader is asked again', async () => {
    const sim = await setUp();
    const { clock, box } = sim;
    const kafka = sim.client();
    const fetches = counter(sim);
    const options = { topic: 't', from: 'earliest', rackId: 'b', replicaLeaseMs: LEASE_MS } as const;
    const { close } = await clock.run(startReading(kafka, options));
    await clock.advance(LEASE_MS - 2_000);
    fetches();
    await clock.advance(4_000);
    const [leader, follower] = fetches();
    expect(leader).toBe(1);
    expect(follower).toBeGreaterThan(4);
    close();
    await clock.run(kafka.close());
    await clock.run(box.close());
  });

  it('is not believed when it lags: the leader is asked before a position is out of range', async () => {
    const sim = await setUp();
    const { clock, box } = sim;
    const kafka = sim.client();
    const { seen, close } = await clock.run(
      startReading(kafka, { topic: 't', from: 'earliest', rackId: 'b' }),
    );
    await trickle(sim, 't', 0, 100);
    const release = box.putOutOfSync('t', 0, 1);
    await trickle(sim, 't', 100, 100);
    await clock.advance(5_000);
    release();
    await trickle(sim, 't', 200, 100);
    await clock.advance(15_000);
    expect(seen[0]!.errors).toEqual([]);
    expect(seen[0]!.offsets).toEqual(span(0, 300));
    close();
    await clock.run(kafka.close());
    await clock.run(box.close());
  });
});
