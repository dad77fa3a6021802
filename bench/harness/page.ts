// docs/benchmarks.md, written from everything that is published in bench/results.
import { readFileSync, writeFileSync } from 'node:fs';
import { CLIENTS } from './clients.ts';
import { CODEC_WORKLOADS } from './codec-workloads.ts';
import { rowsOf } from './report.ts';
import { readPublished, readStageCosts, type Result } from './results.ts';
import { markdownTable, tableOf } from './table.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

const TRADE_OFFS = 'bench/harness/trade-offs.md';
const PAGE = 'docs/benchmarks.md';

/** The peers of the summary; a workload without one of them leaves its cell empty. */
const COMPARED = ['probe', 'franz-go', 'java', 'kafkajs', 'platformatic', 'node-rdkafka'];

interface Section {
  readonly workload: Workload;
  readonly result: Result;
}

export function writePage(): void {
  const sections = [...WORKLOADS, ...CODEC_WORKLOADS].flatMap((workload) => {
    const result = readPublished(workload.name);
    return result === undefined ? [] : [{ workload, result }];
  });
  const machines = [...new Set(sections.map(({ result }) => result.machine))];
  const page = [
    '# Benchmarks',
    'Written by `npm run bench` from `bench/results/`, where every sample is; do not edit. Rates depend on the machine and on what else it does; ratios are of the same round and travel better.',
    '## In short',
    'Ours by the peer: how many times its rate, median of the rounds; of `awaited` and `steady`, its p99 by ours. More than 1 is in our favour.',
    summary(sections),
    ...sections.map((section) => sectionOf(section, machines)),
    stages(),
    '## How it is measured',
    method(sections),
    `Machines: ${machines.map((machine, nth) => `(${nth + 1}) ${machine}`).join('; ')}.`,
    '## Who takes part',
    CLIENTS.map(({ name, note }) => `- **${name}**: ${note}`).join('\n'),
    readFileSync(TRADE_OFFS, 'utf8').trim(),
    '## Running it',
    running(),
  ];
  writeFileSync(PAGE, `${page.filter((part) => part !== '').join('\n\n')}\n`);
  console.log(`${PAGE} is written`);
}

function summary(sections: readonly Section[]): string {
  const cells = sections.map(({ workload, result }) => {
    const rows = rowsOf(workload, result.samples);
    const first = rows[0]!;
    const ours = first.latencyMs?.p99.median;
    const own =
      ours === undefined
        ? `${Math.round(first.recordsPerSecond.median / 1_000).toLocaleString('en-US')} k/s`
        : `p99 ${ours.toFixed(2)} ms`;
    return [
      workload.name,
      own,
      ...COMPARED.map((client) => {
        const row = rows.find((one) => one.client === client);
        const ratio = ours === undefined ? row?.firstToThis : row && (row.latencyMs?.p99.median ?? 0) / ours;
        return ratio?.toFixed(2) ?? '';
      }),
    ];
  });
  return markdownTable(['', 'sluice', ...COMPARED.map((name) => `x ${name}`)], cells);
}

function sectionOf({ workload, result }: Section, machines: readonly string[]): string {
  const { title, partitions, share } = workload;
  const { rounds, records, machine, failures } = result;
  const count = Math.round(records * share).toLocaleString('en-US');
  const lines = [
    `## ${title}`,
    `${count} records, ${partitions} partitions, medians of ${rounds} rounds, machine (${machines.indexOf(machine) + 1}).`,
    tableOf(rowsOf(workload, result.samples)),
  ];
  const absent = failures.map(({ client, reason }) => `${client} (${reason})`);
  if (absent.length > 0)
    lines.push(`Absent, or left out from the round on in which it failed: ${absent.join('; ')}.`);
  return lines.join('\n\n');
}

function stages(): string {
  const costs = readStageCosts();
  if (costs === undefined) return '';
  const cells = costs.costs.map(({ name, nsPerRecord, nsPerStage }) => [
    name,
    nsPerRecord.toFixed(1),
    nsPerStage.toFixed(1),
  ]);
  return [
    '## What a stage costs',
    `Medians of ${costs.rounds} interleaved rounds in one process, without a broker; bare values for plain RxJS, deliveries with acknowledgement for a Flow.`,
    markdownTable(['', 'ns per record', 'ns per stage'], cells),
  ].join('\n\n');
}

/** When the warm-up became longer than one turn; what was measured before says so. */
const LONG_WARM_UP_FROM = '2026-11-22T04:00:00.000Z';

function shortWarmUps(sections: readonly Section[]): string {
  const names = sections
    .filter(({ result }) => result.at < LONG_WARM_UP_FROM)
    .map(({ workload }) => `\`${workload.name}\``);
  return names.length === 0
    ? ''
    : `\n- Measured earlier, after one turn of that warm-up only: ${names.join(', ')}.`;
}

function method(sections: readonly Section[]): string {
  const rounds = Math.min(...sections.map(({ result }) => result.rounds));
  return `- At least ${Number.isFinite(rounds) ? rounds : 0} rounds; in each, every client once, in turn and in changing order; each measurement in a process of its own, after a warm-up in it
  (half as many records, again and again for at least four seconds) that is not counted, with a topic and a group of its own. One broker, uncompressed unless a codec is named, acks=all, no keys. Values are random and printable, with codecs JSON that compresses to about a fifth; the same for everyone.${shortWarmUps(sections)}
- What is consumed was written by sluice with its defaults, in batches of up to 1,000,000 bytes.
- Produce: from the first send to the last acknowledgement. Consume: from the assignment of the partitions to the last record (without a group: from the call), every record weighed by four
  of its bytes and filtered. Consume-process-produce: until the last record's copy is acknowledged.
- One awaited send: from the call to the acknowledgement. End to end: from handing over to the producer, 10 records every millisecond, to the consumer's handler in the same process; the first fifth
  of the time is not counted.
- Checked, each time: the records in the log, the sum over all values at the client, and that the group's commits are at the end.
- CPU is user and system time of the client's process, RSS its peak (warm-up included), loop p99 the event loop's delay above that of an idle loop, GC the share of the time spent collecting.`;
}

function running(): string {
  return `\`npm run bench\` runs everything; \`-- --only consume-100b,pipe\` some of it, \`--clients sluice,kafkajs\` between some, \`--rounds\`, \`--records\`. \`KAFKA_BROKERS=host:port\` takes your
cluster; else a broker is started from its jars (Java 17, Maven). Go, a C compiler and npm bring the other peers; who cannot be had is named as absent. \`npm run bench:smoke\` is the guard
of CI, \`npm run bench:operators\` the cost of stages, \`npm run bench:codecs\` the codecs. \`--at\` measures a commit, \`--against\` another one beside it.`;
}
