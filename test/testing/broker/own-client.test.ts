// Our producer and group consumers on the simulated cluster, under faults drawn from a seed: the invariants hold, and the seed decides all.
// SLUICE_SEEDS=300 plays that many.
import { describe, expect, it } from '@jest/globals';
import { delay } from '../../../src/core/clock.ts';
import type { Random } from '../../../src/core/clock.ts';
import { Kafka } from '../../../src/core/client.ts';
import { GroupConsumer } from '../../../src/core/group/group-consumer.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { seededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

const CHAOS_MS = 60_000;
const RECORDS = 600;
const PARTITIONS = [0, 1, 2];
const ACTS = [
  { api: 'Produce', do: fault.error('NOT_LEADER_OR_FOLLOWER') },
  { api: 'Produce', do: fault.applyThenError('REQUEST_TIMED_OUT') },
  { api: 'Produce', do: fault.applyThenDropResponse },
  { api: 'Produce', do: fault.rst },
  { api: 'Fetch', do: fault.close },
  { api: 'Fetch', do: fault.answerOnly(30) },
  { api: 'OffsetCommit', do: fault.applyThenDropResponse },
  { api: 'OffsetCommit', do: fault.error('COORDINATOR_LOAD_IN_PROGRESS') },
  { api: 'Heartbeat', do: fault.error('NOT_COORDINATOR') },
  { api: 'JoinGroup', do: fault.delay(3000) },
  { api: 'SyncGroup', do: fault.error('REBALANCE_IN_PROGRESS') },
  { api: 'Metadata', do: fault.delay(1500) },
  { api: 'FindCoordinator', do: fault.error('COORDINATOR_NOT_AVAILABLE') },
] as const;

interface Outcome {
  readonly acked: readonly string[];
  readonly failed: number;
  readonly delivered: ReadonlyMap<string, number>;
  readonly logged: readonly string[];
  readonly committed: readonly number[];
  readonly ends: readonly number[];
  readonly requests: string;
}

interface Reader {
  readonly kafka: Kafka;
  readonly group: GroupConsumer;
}

function client(sim: Simulated, random: Random, clientId: string): Kafka {
  return new Kafka(
    { brokers: sim.box.bootstrap, clientId },
    { clock: sim.clock, random, transport: sim.box.transport },
  );
}

/** Breaks something every second or so, and mends it all in the end. */
async function chaos(sim: Simulated, random: Random): Promise<void> {
  while (sim.clock.now() < CHAOS_MS) {
    await delay(sim.clock, 200 + random() * 1500);
    const act = ACTS[Math.floor(random() * ACTS.length)]!;
    sim.box.fault({ match: { api: act.api }, do: act.do });
    const partition = Math.floor(random() * 3);
    if (random() < 0.1) sim.box.moveLeader('lines', partition);
    if (random() < 0.05) sim.box.rehashCoordinators();
    if (random() < 0.05) sim.box.dropConnections(partition, { reset: true });
    if (random() < 0.05) {
      await sim.box.stop(partition);
      await delay(sim.clock, 2000);
      await sim.box.start(partition);
    }
  }
  sim.box.clearFaults();
}

async function play(seed: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const sim = await simulated({ brokers: 3, seed, random, latencyMs: { min: 0.2, max: 15 } });
  const { clock, box } = sim;
  const acked: string[] = [];
  let failed = 0;
  const writer = client(sim, random, 'writer');
  const producer = writer.producer();
  const produce = async (): Promise<void> => {
    const sends: Promise<void>[] = [];
    for (let at = 0; at < RECORDS; at++) {
      const value = `value-${at}`;
      const sent = producer.sendAsync('lines', { key: `key-${at % 20}`, value });
      sends.push(
        sent.then(
          () => void acked.push(value),
          () => {
            failed++;
          },
        ),
      );
      await delay(clock, (random() * 2 * CHAOS_MS) / RECORDS);
    }
    await Promise.all(sends);
    await producer.close();
  };
  const delivered = new Map<string, number>();
  const read = (name: string): Reader => {
    const kafka = client(sim, random, name);
    const group = new GroupConsumer(
      kafka.cluster,
      { groupId: 'readers', topics: ['lines'], commitIntervalMs: 1000 },
      {
        onClaim: (claim) =>
          claim.start({
            onRecord: (record, sequence) => {
              const value = record.value!.toString();
              delivered.set(value, (delivered.get(value) ?? 0) + 1);
              clock.setTimeout(() => claim.settle(sequence), random() * 50);
            },
            onPressure: () => {},
            onEnd: () => {},
            onError: () => {},
            onRevoking: () => {},
            onLost: () => {},
          }),
        onRebalance: () => {},
        onFailed: (error) => {
          throw error;
        },
      },
    );
    group.start();
    return { kafka, group };
  };
  const leave = async ({ kafka, group }: Reader): Promise<void> => {
    await group.drain(10_000);
    await kafka.close();
  };
  const comeAndGo = async (): Promise<void> => {
    while (clock.now() < CHAOS_MS) {
      await delay(clock, 3000 + random() * 8000);
      const guest = read('guest');
      await delay(clock, 2000 + random() * 8000);
      await leave(guest);
    }
  };
  const readers = ['one', 'two'].map(read);
  const ends = () => PARTITIONS.map((partition) => box.partition('lines', partition).highWatermark);
  const committed = () =>
    PARTITIONS.map((partition) => box.committed('readers', 'lines', partition)?.offset ?? 0);
  await sim.run(Promise.all([produce(), chaos(sim, random), comeAndGo()]), 400_000);
  await clock.runUntil(() => String(committed()) === String(ends()), 120_000);
  await sim.run(Promise.all([...readers.map(leave), writer.close()]));
  const records = await Promise.all(PARTITIONS.map((partition) => box.records('lines', partition)));
  const outcome = {
    acked,
    failed,
    delivered,
    logged: records.flat().map(({ value }) => value!.toString()),
    committed: committed(),
    ends: ends(),
    requests: JSON.stringify(box.requests()),
  };
  await box.close();
  await clock.settle();
  expect(box.internalErrors).toEqual([]);
  return outcome;
}

describe('our client in a simulated cluster', () => {
  const seeds = Array.from({ length: Number(process.env['SLUICE_SEEDS'] ?? 5) }, (_, at) => at + 1);
  it.each(seeds)('loses and doubles nothing that was acknowledged, seed %d', async (seed) => {
    const { acked, failed, logged, delivered, committed, ends } = await play(seed);
    expect(failed).toBe(0);
    expect(new Set(acked).size).toBe(RECORDS);
    expect([...logged].sort()).toEqual([...acked].sort());
    expect([...delivered.keys()].sort()).toEqual([...acked].sort());
    expect(committed).toEqual(ends);
  });

  it('plays the same history for the same seed', async () => {
    const [first, again] = [await play(11), await play(11)];
    expect(again.requests === first.requests).toBe(true);
    expect(again.logged).toEqual(first.logged);
    expect(JSON.parse(first.requests)).not.toHaveLength(0);
  });
});
