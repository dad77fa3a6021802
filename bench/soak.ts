// npm run bench:soak -- [--seconds 600] [--pipeline consume|groups|operators]
// Whether memory stays flat at full consume speed: prints the resident set of every tenth of the time, and fails when it passes 200 MB or still grows.
// Of one group, or with `--pipeline groups` of group after group. With `--pipeline operators`: of a topology with every operator in it; fails when the heap still grows, after collections.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { Soaked } from './clients/soak.ts';
import type { Task } from './clients/task.ts';
import { withBrokers } from './harness/broker.ts';
import { soakOperators } from './harness/operator-soak.ts';
import { Programs } from './harness/programs.ts';
import { median } from './harness/report.ts';
import { startClient } from './harness/start.ts';
import { sumOf } from './harness/sums.ts';
import { Topics } from './harness/topics.ts';

const RECORDS = 2_000_000;
const WARM_UP_RECORDS = 500_000;
const PARTITIONS = 3;
const MOST_BYTES = 200_000_000;
const MOST_GROWTH = 1.1;
const PARTS = 10;
const MB = 1_000_000;
const OVERTIME_MS = 60_000;

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    pipeline: { type: 'string', default: 'consume' },
  },
});
const seconds = Number(given.seconds);
if (!Number.isInteger(seconds) || seconds < PARTS)
  throw new Error(`--seconds is a whole number from ${PARTS}`);
const { pipeline } = given;
if (!['consume', 'groups', 'operators'].includes(pipeline))
  throw new Error(`--pipeline is consume, groups or operators, not ${pipeline}`);

async function soak(brokers: readonly string[], programs: Programs, topics: Topics): Promise<Soaked> {
  const warmUp = await topics.create(PARTITIONS, WARM_UP_RECORDS);
  const measured = await topics.create(PARTITIONS, RECORDS);
  const base = {
    client: 'sluice',
    brokers,
    valueKind: 'random',
    valueBytes: 100,
    recordsPerSecond: 0,
    warmUpMs: 0,
  } as const;
  const filling: Task = { ...base, work: 'produce', warmUps: [warmUp], measured };
  const command = (name: string) => programs.commandOf({ name, program: 'node', works: [], note: '' });
  await startClient(command('sluice'), filling, sumOf(filling));
  const groupId = topics.newGroup();
  const task: Task = {
    ...base,
    work: 'consume',
    warmUps: [{ ...warmUp, groupId }],
    measured: { ...measured, groupId },
  };
  const { file, args } = command('soak');
  const output = execFileSync(file, [...args, JSON.stringify(task), String(seconds), pipeline], {
    encoding: 'utf8',
    timeout: seconds * 1_000 + OVERTIME_MS,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as Soaked;
}

function judge({ records, seconds: took, rssBytes, loopDelayP99Ms }: Soaked): void {
  const parts = Array.from({ length: PARTS }, (_, nth) =>
    median(
      rssBytes.slice(
        Math.floor((rssBytes.length * nth) / PARTS),
        Math.floor((rssBytes.length * (nth + 1)) / PARTS),
      ),
    ),
  );
  const most = Math.max(...rssBytes);
  // The first tenths are still growing into their caches.
  const growth = parts.at(-1)! / median(parts.slice(2, 5));
  console.log(
    `${Math.round(records / took / 1_000).toLocaleString('en-US')},000 records/s for ${took.toFixed(0)} s; loop p99 ${loopDelayP99Ms.toFixed(1)} ms above idle`,
  );
  console.log(`RSS in MB, tenth by tenth: ${parts.map((bytes) => Math.round(bytes / MB)).join(' ')}`);
  console.log(
    `at most ${Math.round(most / MB)} MB, the last tenth ${growth.toFixed(2)} x the third to fifth`,
  );
  if (most > MOST_BYTES || growth > MOST_GROWTH) process.exitCode = 1;
}

const programs = new Programs({});
await withBrokers(async (brokers) => {
  const topics = new Topics(brokers);
  try {
    if (pipeline !== 'operators') judge(await soak(brokers, programs, topics));
    else if (!(await soakOperators(brokers, programs, topics, seconds))) process.exitCode = 1;
  } finally {
    await topics.close();
  }
});
