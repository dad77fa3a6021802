// npm run bench -- [--rounds 5] [--records 1000000] [--only produce,consume-100b] [--clients sluice,kafkajs] [--against folder]
// Ours and the peers on a real Kafka, interleaved; each measurement in a process of its own. KAFKA_BROKERS names a cluster to use, else one is
// started from its jars. `--only` takes workloads or the first words of their names; `--against` adds an earlier build of ours (a copy of
// .cache/bench). Writes bench/results; a run of everything writes docs/benchmarks.md as well.
import { parseArgs } from 'node:util';
import { Arena } from './harness/arena.ts';
import { withBrokers } from './harness/broker.ts';
import type { Client } from './harness/client.ts';
import { CLIENTS, OURS } from './harness/clients.ts';
import { machineLine } from './harness/machine.ts';
import { Programs } from './harness/programs.ts';
import { rowsOf } from './harness/report.ts';
import { writeResults } from './harness/results.ts';
import { tableOf } from './harness/table.ts';
import { WORKLOADS, type Workload } from './harness/workloads.ts';

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    clients: { type: 'string' },
    against: { type: 'string' },
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

const programs = new Programs(given.against);
await withBrokers(async (brokers, kind) => {
  const machine = machineLine(kind);
  console.log(machine);
  const arena = new Arena(brokers, programs);
  try {
    for (const workload of chosen) {
      await arena.measure(workload, takingPart(workload), rounds, records);
      const rows = rowsOf(workload, arena.samples);
      console.log(
        `\n${workload.title}, ${workload.partitions} partitions, median of ${rounds} rounds\n${tableOf(rows)}\n`,
      );
    }
  } finally {
    await arena.close();
  }
  const { samples, failures } = arena;
  const rows = chosen.flatMap((workload) => rowsOf(workload, samples));
  writeResults({ machine, rounds, records, rows, samples, failures });
  if (failures.some(({ client }) => client.startsWith(OURS))) process.exitCode = 1;
});
