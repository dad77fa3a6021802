// How a client's process goes: warm-up, measured job, answer.
import { Stopwatch } from './stopwatch.ts';
import type { Job, LatencyMs, Task, Work } from './task.ts';

/** What a job came to. */
export interface Done {
  readonly sum: number;
  readonly latencyMs?: LatencyMs;
}

/** Does one job; `watch` is to be running from its first record to its last. */
export type Run = (job: Job, watch: Stopwatch) => Promise<Done>;

export const task = JSON.parse(process.argv[2]!) as Task;

/** Does the task this process was started for, and answers on the last line of the output. */
export async function runTask(
  works: Partial<Record<Work, Run>>,
  close?: () => Promise<void> | undefined,
): Promise<void> {
  const run = works[task.work];
  if (run === undefined) throw new Error(`There is no ${task.work} with this client`);
  const watch = new Stopwatch();
  await watch.calibrate();
  const warmAt = performance.now() + task.warmUpMs;
  for (const job of task.warmUps) {
    await run(job, new Stopwatch());
    if (performance.now() >= warmAt) break;
  }
  const { sum, latencyMs } = await run(task.measured, watch);
  const outcome = await watch.outcome(task.measured.records, sum, latencyMs);
  await close?.();
  console.log(JSON.stringify(outcome));
}
