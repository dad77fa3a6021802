// npm run bench:operators -- [--publish]
// What a stage costs: nanoseconds per record and stage of Flows beside the same chains of plain RxJS on bare values, and of Delivery itself. Each
// figure is the median of interleaved rounds in one process; no broker. `--publish` puts them into bench/results and docs/benchmarks.md.
import { parseArgs } from 'node:util';
import { systemClock } from '../src/core/clock.ts';
import { machineLine } from './harness/machine.ts';
import { writePage } from './harness/page.ts';
import { median } from './harness/report.ts';
import { writeStageCosts } from './harness/results.ts';
import { deliveryCases } from './stages/delivery-cases.ts';
import { FLOW_CHAIN, flowCases, PLAIN_CHAIN } from './stages/flow-cases.ts';
import { RECORDS } from './stages/sources.ts';

const ROUNDS = 9;
/** The first rounds are the compiler's. */
const WARM_UP_ROUNDS = 2;
const NS_PER_MS = 1e6;

const { values: given } = parseArgs({ options: { publish: { type: 'boolean', default: false } } });
const cases = [...flowCases, ...deliveryCases];
const times = cases.map((): number[] => []);
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  for (const [at, { run }] of cases.entries()) {
    const startedAt = systemClock.now();
    run();
    if (round >= 0) times[at]!.push(((systemClock.now() - startedAt) * NS_PER_MS) / RECORDS);
  }
  await new Promise<void>((resolve) => systemClock.defer(resolve));
}

const costs = cases.map(({ name, stages }, at) => {
  const nsPerRecord = median(times[at]!);
  return { name, nsPerRecord, nsPerStage: nsPerRecord / stages };
});
for (const { name, nsPerRecord, nsPerStage } of costs)
  console.log(
    `${name.padEnd(44)} ${nsPerRecord.toFixed(1).padStart(7)} ns/record ${nsPerStage.toFixed(1).padStart(7)} ns/stage`,
  );
const costOf = (name: string): number => costs.find((cost) => cost.name === name)!.nsPerRecord;
console.log(
  `${FLOW_CHAIN}: ${(costOf(PLAIN_CHAIN) / costOf(FLOW_CHAIN)).toFixed(2)} x the rate of plain RxJS on bare values`,
);
if (given.publish) {
  const at = new Date().toISOString();
  writeStageCosts({ at, machine: machineLine('no broker'), rounds: ROUNDS, costs });
  writePage();
}
