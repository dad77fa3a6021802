// Plays simulated runs and checks their histories: `npm run simulate -- --seeds 10000`. Fails when an invariant does not hold.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { playDay } from '../test/simulation/day.ts';
import { sha256, toNdjson } from '../test/simulation/history/ndjson.ts';
import { ALL_KINDS, drawn, KINDS } from '../test/simulation/kinds.ts';
import type { KindName } from '../test/simulation/kinds.ts';
import { BUG_NAMES, plant } from '../test/simulation/planted/plant.ts';
import { reportFailure } from '../test/simulation/report.ts';

const USAGE = `simulate [--seeds N] [--from N] [--seed N] [--kind ${ALL_KINDS.join('|')}] [--history FILE] [--hash] [--bug NAME] [--shrink SECONDS] [--day]
  --seeds    how many seeds, from --from on (default 100, from 1)
  --seed     only this one
  --kind     only scenarios of this kind (default: ${KINDS.join(' and ')} for each seed)
  --history  writes the last history to a file, one event a line
  --hash     prints the sha256 of each history
  --bug      with this planted bug: the checks must find it
  --day      plays a day of a group of three with ten records a second instead; fails when that takes a minute of processor time
  --shrink   how long a failing scenario is made smaller (default 60)
`;

/** Seeds of one process; what runs leave behind in memory would add up over thousands of them. */
const SEEDS_PER_PROCESS = 250;
const MAX_TRIES = 2000;
const MAX_FAILURES = 5;

/** A whole number, or the end of the program. */
function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} takes a whole number, not ${text}\n${USAGE}`);
  process.exit(2);
}

/** One of the names there are, or the end of the program. */
function oneOf<T extends string>(names: readonly T[], text: string, option: string): T {
  const name = names.find((one) => one === text);
  if (name !== undefined) return name;
  process.stderr.write(`--${option} takes one of ${names.join(', ')}; not ${text}\n`);
  process.exit(2);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      kind: { type: 'string' },
      history: { type: 'string' },
      hash: { type: 'boolean', default: false },
      bug: { type: 'string' },
      shrink: { type: 'string', default: '60' },
      day: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.day) return day();
  // Deliveries of crashed members are garbage, of which the leak detector tells.
  process.removeAllListeners('warning');
  if (values.bug !== undefined) plant(oneOf(BUG_NAMES, values.bug, 'bug'));
  const first = count(values.seed ?? values.from, values.seed === undefined ? 'from' : 'seed');
  const last = values.seed === undefined ? first + count(values.seeds, 'seeds') - 1 : first;
  if (last - first >= SEEDS_PER_PROCESS) return inProcesses(first, last);
  const kinds = values.kind === undefined ? KINDS : [oneOf(ALL_KINDS, values.kind, 'kind')];
  const shrinkMs = count(values.shrink, 'shrink') * 1000;
  let events = 0;
  let failures = 0;
  let runs = 0;
  for (let seed = first; seed <= last && failures < MAX_FAILURES; seed++) {
    for (const kind of kinds) {
      const { played, text } = await playSeed(kind, seed, values.hash || values.history !== undefined);
      runs++;
      events += played.history.length;
      if (values.hash) process.stdout.write(`${kind} ${seed} ${sha256(text)}\n`);
      if (values.history !== undefined) writeFileSync(values.history, text);
      if (played.violations.length === 0) continue;
      failures++;
      const until = performance.now() + shrinkMs;
      const limits = { tries: MAX_TRIES, isOver: () => performance.now() > until };
      process.stdout.write(`${await reportFailure(kind, seed, drawn(kind, seed), played, limits)}\n`);
    }
  }
  const cpu = process.cpuUsage();
  const seconds = ((cpu.user + cpu.system) / 1e6).toFixed(1);
  process.stdout.write(
    `${runs} runs from seed ${first}, ${events} events, ${failures} failed, ${seconds} s of CPU\n`,
  );
  return failures === 0 ? 0 : 1;
}

/** Plays the seeds by as many processes as it takes, one after another, up to one that fails. */
function inProcesses(first: number, last: number): number {
  const [, script, ...args] = process.argv;
  for (let from = first; from <= last; from += SEEDS_PER_PROCESS) {
    const seeds = Math.min(SEEDS_PER_PROCESS, last - from + 1);
    const range = ['--from', String(from), '--seeds', String(seeds)];
    const { status } = spawnSync(process.execPath, [...process.execArgv, script!, ...args, ...range], {
      stdio: 'inherit',
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

async function day(): Promise<number> {
  const { sent, acked, handed, committed, requests } = await playDay(24);
  const seconds = process.cpuUsage().user / 1e6;
  process.stdout.write(`A day: ${sent} records, ${requests} requests, ${seconds.toFixed(1)} s of CPU\n`);
  return acked === sent && handed === sent && committed === sent && seconds < 60 ? 0 : 1;
}

async function playSeed(kind: KindName, seed: number, wantsText: boolean) {
  const played = await drawn(kind, seed).run();
  return { played, text: wantsText ? toNdjson(played.history) : '' };
}

void main().then((code) => {
  process.exitCode = code;
});
