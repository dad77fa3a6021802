// One seed, one history: clients, faults and cluster acts drawn from it give the same requests at the same times, byte for byte.
import { describe, expect, it } from '@jest/globals';
import { delay } from '../../../src/core/clock.ts';
import type { Random } from '../../../src/core/clock.ts';
import { fetchApi } from '../../../src/core/protocol/messages/01-fetch.ts';
import { produceApi } from '../../../src/core/protocol/messages/00-produce.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { TestMember } from './group-member.ts';
import { batchOf, fetchRequest, produceRequest } from './requests.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

const ACTS = [
  fault.error('NOT_LEADER_OR_FOLLOWER'),
  fault.delay(700),
  fault.close,
  fault.rst,
  fault.applyThenDropResponse,
];
const RUN_MS = 120_000;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

/** Does something again and again at random moments, on a fresh connection whenever the last one broke. */
async function actor(sim: Simulated, random: Random, act: () => Promise<unknown>): Promise<void> {
  while (sim.clock.now() < RUN_MS) {
    await delay(sim.clock, 10 + random() * 500);
    await Promise.race([act().catch(() => {}), delay(sim.clock, 2000)]);
  }
}

async function history(seed: number): Promise<string> {
  const random = seededRandom(seed);
  const sim = await simulated({ brokers: 3, seed, latencyMs: { min: 0.1, max: 20 }, random });
  const running: Promise<void>[] = [];
  for (let producer = 0; producer < 3; producer++) {
    let count = 0;
    running.push(
      actor(sim, random, async () => {
        const partition = producer;
        const client = sim.connect(Math.max(0, sim.box.leaderOf('lines', partition)), `producer-${producer}`);
        const records = batchOf({ values: [`${producer}-${count++}`], timestamp: sim.clock.wallNow() });
        await client.call(produceApi, 9, produceRequest(records, { partition }));
        client.close();
      }),
      actor(sim, random, async () => {
        const client = sim.connect(producer, `reader-${producer}`);
        await client.call(fetchApi, 12, fetchRequest({ partition: producer, maxWaitMs: 300 }));
        client.close();
      }),
      actor(sim, random, async () => {
        const member = new TestMember(sim.connect(sim.box.coordinatorOf('readers'), `member-${producer}`), {
          rebalanceTimeoutMs: 1500,
        });
        await member.join();
        await member.sync();
        await member.commit(count);
        if (random() < 0.5) await member.leave();
      }),
    );
  }
  running.push(
    actor(sim, random, async () => {
      sim.box.fault({ match: { nth: 1 + Math.floor(random() * 5) }, do: pick(random, ACTS) });
      const partition = Math.floor(random() * 3);
      if (random() < 0.1) sim.box.moveLeader('lines', partition);
      if (random() < 0.05) sim.box.rehashCoordinators();
      if (random() < 0.05) {
        await sim.box.stop(partition);
        await delay(sim.clock, 1000);
        await sim.box.start(partition);
      }
    }),
  );
  await sim.run(Promise.all(running).then(() => undefined));
  const records = await Promise.all([0, 1, 2].map((partition) => sim.box.records('lines', partition)));
  const group = sim.box.group('readers')!;
  const told = JSON.stringify({
    requests: sim.box.requests(),
    records: records.map((list) =>
      list.map(({ offset, value, leaderEpoch, timestamp }) => [
        offset,
        value?.toString(),
        leaderEpoch,
        timestamp,
      ]),
    ),
    group: { ...group, offsets: [...group.offsets] },
  });
  await sim.box.close();
  expect(sim.box.internalErrors).toEqual([]);
  return told;
}

describe('a simulated cluster', () => {
  it('tells the same history for the same seed, and another for another', async () => {
    const [first, again, other] = [await history(7), await history(7), await history(8)];
    expect(again === first).toBe(true);
    expect(other === first).toBe(false);
    const { requests } = JSON.parse(first) as { requests: { api: string; fault?: string }[] };
    expect(requests.length).toBeGreaterThan(1000);
    expect(new Set(requests.map(({ api }) => api)).size).toBeGreaterThanOrEqual(6);
    expect(new Set(requests.map(({ fault: act }) => act)).size).toBe(ACTS.length + 1);
  });
});
