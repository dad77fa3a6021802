// docs/benchmarks.md, written anew by each run.
import { writeFileSync } from 'node:fs';
import { VALUE_BYTES } from './clients/workload.ts';

/** What the page says of a run. */
export interface PageFacts {
  readonly machine: string;
  readonly table: string;
  readonly rounds: number;
  readonly records: number;
}

const count = (value: number): string => value.toLocaleString('en-US');

/** Writes the page. */
export function writePage({ machine, table, rounds, records }: PageFacts): void {
  writeFileSync(
    'docs/benchmarks.md',
    `# Benchmarks

Written by \`npm run bench\`; do not edit. Rates depend on the machine and on what else it does; the ratios are of the same round and travel better.

${table}

${machine}

Medians of ${rounds} interleaved rounds, after a warm-up in the same process that is not counted; each measurement in a process of its own.

- **Workload:** ${count(records)} records produced and ${count(records * 2)} consumed per round, random printable values of ${VALUE_BYTES} bytes without keys, 3 partitions, acks=all,
  uncompressed, one broker.
- **sluice produce:** \`fromIterable → toTopic → map → settle\`, idempotent, every default.
- **sluice consume:** \`fromGroup → map → filter\`, raw bytes, in a group with commits, CRC checked, every default.
- **kafkajs 2.2.4 produce:** \`sendBatch\` of 2,000 records, three calls at a time, acks -1; not idempotent, which is its default.
- **kafkajs 2.2.4 consume:** \`eachBatch\` in a group, \`autoCommitInterval\` 5 s, three partitions at a time, 4 MiB per fetch and partition. It does not check CRCs.
- **Checked:** the number of records in the log, the sum over all values on both sides, and that the groups' commits are at the end.
- CPU is user and system time of the client's process; RSS its peak, the warm-up included.

\`npm run bench -- --rounds 5 --records 2000000\` runs longer; \`KAFKA_BROKERS=host:port npm run bench\` on your cluster. Every sample is in \`bench/results/\`.
`,
  );
}
