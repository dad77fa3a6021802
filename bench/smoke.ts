// npm run bench:smoke: fails on a clear regression. Ours against kafkajs and the plain-socket probe, by ratio and with a wide margin: the best of up to
// three rounds each, so that a busy machine does not fail it; it ends as soon as all ratios are reached.
import { Arena } from './harness/arena.ts';
import { withBrokers } from './harness/broker.ts';
import { CLIENTS } from './harness/clients.ts';
import { Programs } from './harness/programs.ts';
import { WORKLOADS, type Workload } from './harness/workloads.ts';

const ROUNDS = 3;
/** Enough for a second of kafkajs. */
const RECORDS: Readonly<Record<string, number>> = { 'produce-100b': 200_000, 'consume-100b': 500_000 };

interface Limit {
  readonly workload: string;
  readonly peer: string;
  readonly leastRatio: number;
}

const LIMITS: readonly Limit[] = [
  { workload: 'produce-100b', peer: 'kafkajs', leastRatio: 1.5 },
  { workload: 'consume-100b', peer: 'kafkajs', leastRatio: 1.5 },
  { workload: 'consume-100b', peer: 'probe', leastRatio: 0.15 },
];

const named = (name: string): Workload => WORKLOADS.find((workload) => workload.name === name)!;

async function failing(arena: Arena, limits: readonly Limit[]): Promise<Limit[]> {
  for (const name of new Set(limits.map(({ workload }) => workload))) {
    const peers = limits.filter(({ workload }) => workload === name).map(({ peer }) => peer);
    const clients = CLIENTS.filter((client) => client.name === 'sluice' || peers.includes(client.name));
    await arena.measure(named(name), clients, 1, RECORDS[name]!);
  }
  if (arena.failures.length > 0) throw new Error('A client failed; see above.');
  return limits.filter((limit) => ratioOf(arena, limit) < limit.leastRatio);
}

function ratioOf(arena: Arena, { workload, peer }: Limit): number {
  const best = (client: string): number =>
    Math.max(
      ...arena.samples
        .filter((sample) => sample.workload === workload && sample.client === client)
        .map(({ records, seconds }) => records / seconds),
    );
  return best('sluice') / best(peer);
}

await withBrokers(async (brokers) => {
  const arena = new Arena(brokers, new Programs({}), 0);
  try {
    let open = await failing(arena, LIMITS);
    for (let round = 2; round <= ROUNDS && open.length > 0; round++) open = await failing(arena, open);
    for (const limit of LIMITS) {
      const { workload, peer, leastRatio } = limit;
      const verdict = open.includes(limit) ? 'TOO SLOW' : 'ok';
      console.log(
        `${verdict}: ${workload} is ${ratioOf(arena, limit).toFixed(2)} x ${peer}, at least ${leastRatio}`,
      );
    }
    if (open.length > 0) process.exitCode = 1;
  } finally {
    await arena.close();
  }
});
