// npm run bench -- [--rounds 5] [--records 1000000] [--only produce,consume-100b] [--clients sluice,kafkajs] [--at commit] [--against commit] [--keep]
// Ours and the peers on a real Kafka, interleaved; each measurement in a process of its own. KAFKA_BROKERS names a cluster to use, else one is
// started from its jars. `--only` takes workloads or the first words of their names; `--at` measures ours at a commit instead of the files as they
// are, and `--against` another commit beside it; `--keep` leaves what was built in .cache/bench-kept.
// A run of five rounds or more with all clients replaces its workloads' part of bench/results and docs/benchmarks.md.
import { parseArgs } from 'node:util';
import { Arena, type Failure } from './harness/arena.ts';
import { withBrokers } from './harness/broker.ts';
import type { Client } from './harness/client.ts';
import { CLIENTS, OURS } from './harness/clients.ts';
import { machineLine } from './harness/machine.ts';
import { Programs } from './harness/programs.ts';
import { rowsOf } from './harness/report.ts';
import { writePage } from './harness/page.ts';
import { writeResult } from './harness/results.ts';
import { tableOf } from './harness/table.ts';
import { WORKLOADS, type Workload } from './harness/workloads.ts';

const PUBLISHED_ROUNDS = 5;

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    clients: { type: 'string' },
    at: { type: 'string' },
    against: { type: 'string' },
    keep: { type: 'boolean' },
  },
});

function wholeNumber(name: 'rounds' | 'records'): number {
  const value = Number(given[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1`);
  return value;
}

const rounds = wholeNumber('rounds');
const records = wholeNumber('records');
const chosen = chooseWorkloads(given.only);

function chooseWorkloads(only: string | undefined): readonly Workload[] {
  if (only === undefined) return WORKLOADS;
  const names = only.split(',');
  const some = WORKLOADS.filter((workload) =>
    names.some((name) => workload.name === name || workload.name.startsWith(`${name}-`)),
  );
  if (some.length === 0) throw new Error(`--only: there are ${WORKLOADS.map(({ name }) => name).join(', ')}`);
  return some;
}

function takingPart({ clients }: Workload): Client[] {
  const wanted = given.clients?.split(',') ?? clients;
  const some = CLIENTS.filter(({ name }) => clients.includes(name) && wanted.includes(name));
  some.sort((a, b) => clients.indexOf(a.name) - clients.indexOf(b.name));
  const ours = some.find(({ name }) => name === OURS);
  if (given.against !== undefined && ours !== undefined)
    some.splice(1, 0, { ...ours, name: 'against', as: OURS, program: 'against' });
  return some;
}

/** What is published has enough rounds, everyone in it, and nobody extra. */
const published = rounds >= PUBLISHED_ROUNDS && given.clients === undefined && given.against === undefined;

async function measure(arena: Arena, workload: Workload, machine: string): Promise<void> {
  await arena.measure(workload, takingPart(workload), rounds, records);
  const { name, title, partitions } = workload;
  const samples = arena.samples.filter((sample) => sample.workload === name);
  const failures = arena.failures.filter((failure) => failure.workload === name);
  console.log(`\n${title}, ${partitions} partitions, median of ${rounds} rounds`);
  console.log(`${tableOf(rowsOf(workload, samples))}\n`);
  const at = new Date().toISOString();
  const result = { workload: name, at, machine, rounds, records, failures, samples };
  writeResult(result, published && !failures.some(isOurs));
}

const isOurs = ({ client }: Failure): boolean => client.startsWith(OURS);

const programs = new Programs(given);
await withBrokers(async (brokers, kind) => {
  const machine = machineLine(kind, given.at);
  console.log(machine);
  const arena = new Arena(brokers, programs);
  try {
    for (const workload of chosen) await measure(arena, workload, machine);
  } finally {
    await arena.close();
  }
  if (published) writePage();
  else
    console.log(
      'Not published: that takes five rounds of all clients. The samples are in .cache/bench-results.',
    );
  if (arena.failures.some(isOurs)) process.exitCode = 1;
});
