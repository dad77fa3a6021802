// npm run bench:codecs -- [--rounds 5] [--records 1000000] [--only gzip,zstd]
// Produce and consume with each codec, ours (on this Node and on Node 24) beside the clients for Node that have it, interleaved, on a real Kafka.
// Five rounds or more replace the part of the codecs in bench/results and docs/benchmarks.md. Ends with how many times the fastest peer's rate ours is.
import { parseArgs } from 'node:util';
import { Arena } from './harness/arena.ts';
import { withBrokers } from './harness/broker.ts';
import { CLIENTS, OURS } from './harness/clients.ts';
import { CODEC_WORKLOADS } from './harness/codec-workloads.ts';
import { machineLine } from './harness/machine.ts';
import { writePage } from './harness/page.ts';
import { Programs } from './harness/programs.ts';
import { rowsOf } from './harness/report.ts';
import { writeResult } from './harness/results.ts';
import { tableOf } from './harness/table.ts';
import type { Workload } from './harness/workloads.ts';

const PUBLISHED_ROUNDS = 5;

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  },
});
const rounds = Number(given.rounds);
const records = Number(given.records);
const only = given.only?.split(',');
const chosen = CODEC_WORKLOADS.filter(({ name }) => only?.some((codec) => name.endsWith(codec)) !== false);
const published = rounds >= PUBLISHED_ROUNDS;
const isOurs = (client: string): boolean => client.startsWith(OURS);

/** Ours by the fastest of the others, in the medians. */
function verdict(workload: Workload, arena: Arena): string {
  const rows = rowsOf(workload, arena.samples);
  const best = Math.max(
    ...rows.filter(({ client }) => !isOurs(client)).map(({ recordsPerSecond }) => recordsPerSecond.median),
  );
  const ratios = rows
    .filter(({ client }) => isOurs(client))
    .map(({ client, recordsPerSecond }) => `${client} ${(recordsPerSecond.median / best).toFixed(2)} x`);
  return `${workload.name.padEnd(15)} ${ratios.join('  ')} the fastest peer`;
}

const programs = new Programs({});
await withBrokers(async (brokers, kind) => {
  const machine = machineLine(kind);
  console.log(machine);
  const arena = new Arena(brokers, programs);
  try {
    for (const workload of chosen) {
      const { name, title, clients } = workload;
      const takingPart = CLIENTS.filter((client) => clients.includes(client.name));
      await arena.measure(workload, takingPart, rounds, records);
      console.log(`\n${title}, median of ${rounds} rounds`);
      console.log(`${tableOf(rowsOf(workload, arena.samples))}\n`);
      const samples = arena.samples.filter((sample) => sample.workload === name);
      const failures = arena.failures.filter((failure) => failure.workload === name);
      const at = new Date().toISOString();
      const fit = published && !failures.some(({ client }) => isOurs(client));
      writeResult({ workload: name, at, machine, rounds, records, failures, samples }, fit);
    }
  } finally {
    await arena.close();
  }
  for (const workload of chosen) console.log(verdict(workload, arena));
  if (published) writePage();
});
