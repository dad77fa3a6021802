// Runs the topology with every operator in it for a long time, prints its memory by tenths, and judges it.
import { execFileSync } from 'node:child_process';
import { GROUPS, type GroupIds } from '../clients/operators/groups.ts';
import type { MemorySample, OperatorSoak, OperatorSoaked } from '../clients/soak-operators.ts';
import type { Programs } from './programs.ts';
import { median } from './report.ts';
import type { Topics } from './topics.ts';

const PARTITIONS = 3;
const PARTS = 10;
const MB = 1_000_000;
const OVERTIME_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/**
 * What the heap after a collection may be larger in the last tenth than in the third to fifth: the values on their way differ from one
 * collection to the next.
 */
const MOST_HEAP_GROWTH_BYTES = 8 * MB;

type Quantity = Exclude<keyof MemorySample, 'atSeconds'>;
const QUANTITIES: readonly (readonly [Quantity, string])[] = [
  ['rss', 'RSS'],
  ['heap', 'heap after a collection'],
  ['arrayBuffers', 'array buffers'],
  ['external', 'external'],
];

/** Prints a line for each kind of memory; answers whether the heap stayed flat. */
export async function soakOperators(
  brokers: readonly string[],
  programs: Programs,
  topics: Topics,
  seconds: number,
): Promise<boolean> {
  const create = async (): Promise<string> => (await topics.create(PARTITIONS, 0)).topic;
  const task: OperatorSoak = {
    brokers,
    topics: {
      input: await create(),
      output: await create(),
      retries: await create(),
      dead: await create(),
    },
    groups: Object.fromEntries(GROUPS.map((name) => [name, topics.newGroup()])) as unknown as GroupIds,
    seconds,
  };
  const { file, args } = programs.commandOf({ name: 'soak-operators', program: 'node', works: [], note: '' });
  const output = execFileSync(file, [...args, JSON.stringify(task)], {
    encoding: 'utf8',
    timeout: seconds * 1_000 + OVERTIME_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return judge(JSON.parse(output.trim().split('\n').at(-1)!) as OperatorSoaked);
}

function judge({ records, seconds, samples, counts }: OperatorSoaked): boolean {
  console.log(
    `${Math.round(records / seconds).toLocaleString('en-US')} records/s into each group, for ${seconds.toFixed(0)} s`,
  );
  const out = Object.entries(counts).map(([name, count]) => `${name} ${count.toLocaleString('en-US')}`);
  console.log(`Out of each operator: ${out.join(', ')}`);
  for (const [quantity, name] of QUANTITIES) {
    const tenths = tenthsOf(samples.map((sample) => sample[quantity]));
    const growth = growthOf(tenths);
    const shown = tenths.map((bytes) => (bytes / MB).toFixed(1)).join(' ');
    console.log(`${name} in MB, tenth by tenth: ${shown}; growth ${(growth / MB).toFixed(1)}`);
  }
  const growth = growthOf(tenthsOf(samples.map(({ heap }) => heap)));
  const isFlat = growth <= MOST_HEAP_GROWTH_BYTES;
  console.log(
    `${isFlat ? 'ok' : 'GROWS'}: the heap of the last tenth is ${(growth / MB).toFixed(1)} MB above that of the third to fifth, at most ${MOST_HEAP_GROWTH_BYTES / MB}`,
  );
  return isFlat;
}

function tenthsOf(values: readonly number[]): number[] {
  return Array.from({ length: PARTS }, (_, nth) => {
    const at = (part: number): number => Math.floor((values.length * part) / PARTS);
    return median(values.slice(at(nth), at(nth + 1)));
  });
}

/** From the third to fifth tenth, when caches are full and code is compiled, to the last. */
function growthOf(tenths: readonly number[]): number {
  return tenths.at(-1)! - median(tenths.slice(2, 5));
}
