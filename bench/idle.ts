// npm run bench:idle -- [--partitions 1000] [--rounds 3] [--seconds 30] [--settle 15] [--at COMMIT] [--short]
// What it costs to have partitions without records: bytes on the wire and processor time, ours beside the Java consumer, each alone in its turn.
// Fails when ours takes more than 1.2 times as much; the short form judges bytes only, for a JVM is not compiled yet in its few seconds.
import { parseArgs } from 'node:util';
import { withBrokers } from './harness/broker.ts';
import type { Command } from './harness/client.ts';
import { Programs } from './harness/programs.ts';
import { median } from './harness/report.ts';
import { Topics } from './harness/topics.ts';
import { watchIdle } from './idle/idle-member.ts';
import type { Taken } from './idle/usage.ts';

const MOST_TIMES_JAVA = 1.2;

const { values: given } = parseArgs({
  options: {
    partitions: { type: 'string', default: '1000' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    settle: { type: 'string' },
    at: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});

function whole(name: 'partitions' | 'rounds' | 'seconds' | 'settle', fallback: number): number {
  const value = Number(given[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1`);
  return value;
}

const partitions = whole('partitions', 1_000);
const rounds = whole('rounds', given.short ? 1 : 3);
const seconds = whole('seconds', given.short ? 8 : 30);
const settle = whole('settle', given.short ? 10 : 15);

type Name = 'sluice' | 'java';

const programs = new Programs({ at: given.at });
const ours = programs.commandOf({ name: 'idle', program: 'node', works: [], note: '' });
const main = programs.commandOf({ name: 'java', program: 'java', works: [], note: '' });
const commands: Record<Name, Command> = {
  sluice: ours,
  java: { ...main, args: [...main.args.slice(0, -1), 'Idle'] },
};

function judge(taken: Readonly<Record<Name, readonly Taken[]>>): void {
  const of = (name: Name, what: keyof Taken): number => median(taken[name].map((one) => one[what]));
  for (const what of ['bytesPerSecond', 'cpuSecondsPerMinute'] as const) {
    const [mine, theirs] = [of('sluice', what), of('java', what)];
    const ratio = mine / theirs;
    const isJudged = what === 'bytesPerSecond' || !given.short;
    const verdict = !isJudged ? 'not judged' : ratio > MOST_TIMES_JAVA ? 'TOO MUCH' : 'ok';
    console.log(
      `${verdict}: ${what} ${mine.toFixed(2)}, ${ratio.toFixed(2)} x java (${theirs.toFixed(2)}), at most ${MOST_TIMES_JAVA}`,
    );
    if (verdict === 'TOO MUCH') process.exitCode = 1;
  }
}

await withBrokers(async (brokers, kind) => {
  console.log(`${partitions} idle partitions, ${rounds} rounds of ${seconds} s; ${kind}`);
  const topics = new Topics(brokers);
  const taken: Record<Name, Taken[]> = { sluice: [], java: [] };
  try {
    const { topic } = await topics.create(partitions, 0);
    for (let round = 0; round < rounds; round++) {
      const names: Name[] = round % 2 === 0 ? ['sluice', 'java'] : ['java', 'sluice'];
      for (const name of names) {
        const one = await watchIdle(commands[name], {
          brokers,
          topic,
          groupId: topics.newGroup(),
          partitions,
          settleMs: settle * 1_000,
          watchMs: seconds * 1_000,
        });
        taken[name].push(one);
        console.log(
          `${name}: ${one.bytesPerSecond.toFixed(0)} B/s, ${one.cpuSecondsPerMinute.toFixed(2)} CPU s/min`,
        );
      }
    }
    judge(taken);
  } finally {
    await topics.close();
  }
});
