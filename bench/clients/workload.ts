// What every client under measurement has in common: what it is told, its values, its clock, and what it answers.

/** Some records of one topic; to consume them takes a group of its own. */
export interface Job {
  readonly topic: string;
  readonly groupId: string;
  readonly records: number;
}

/** What run.ts tells a client, as JSON in its first argument. */
export interface Task {
  readonly brokers: readonly string[];
  readonly work: 'produce' | 'consume';
  /** Handled before the clock starts, in the same process. */
  readonly warmUp: Job;
  readonly measured: Job;
}

/** What a client answers, as JSON on the last line of its output. */
export interface Outcome {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** The weights of all values of the measured job. */
  readonly sum: number;
}

export const VALUE_BYTES = 100;
const DISTINCT_VALUES = 16_384;
const FIRST_PRINTABLE = 33;
const PRINTABLES = 94;

/** Random printable values, the same in every process. */
export function values(): readonly Buffer[] {
  let seed = 20_260_101;
  return Array.from({ length: DISTINCT_VALUES }, () => {
    const value = Buffer.allocUnsafeSlow(VALUE_BYTES);
    for (let at = 0; at < VALUE_BYTES; at++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      value[at] = FIRST_PRINTABLE + ((seed >>> 16) % PRINTABLES);
    }
    return value;
  });
}

/** What one value adds to the sum; cheap, so that it does not blur what is measured. */
export function weight(value: Buffer): number {
  return value.length + value[0]! * 7 + value[50]! * 31 + value[99]! * 127;
}

/** The sum of the weights of `count` values, taken round robin. */
export function expectedSum(count: number): number {
  const weights = values().map(weight);
  let sum = 0;
  for (let at = 0; at < count; at++) sum += weights[at % DISTINCT_VALUES]!;
  return sum;
}

/** Wall clock and CPU of this process between start and stop. */
export class Stopwatch {
  private startedAt = 0;
  private cpuAtStart = process.cpuUsage();
  private seconds = 0;
  private cpuSeconds = 0;

  start(): void {
    this.cpuAtStart = process.cpuUsage();
    this.startedAt = performance.now();
  }

  stop(): void {
    this.seconds = (performance.now() - this.startedAt) / 1_000;
    const { user, system } = process.cpuUsage(this.cpuAtStart);
    this.cpuSeconds = (user + system) / 1_000_000;
  }

  outcome(records: number, sum: number): Outcome {
    const { seconds, cpuSeconds } = this;
    return { records, seconds, cpuSeconds, peakRssBytes: process.resourceUsage().maxRSS * 1_024, sum };
  }
}

/** Does one job; `watch` is to be running from its first record to its last. */
export type Work = (task: Task, job: Job, watch: Stopwatch) => Promise<number>;

/** Does the task this process was started for, and answers on the last line of the output. */
export async function runTask(works: Readonly<Record<Task['work'], Work>>): Promise<void> {
  const task = JSON.parse(process.argv[2]!) as Task;
  const work = works[task.work];
  const { warmUp, measured } = task;
  await work(task, warmUp, new Stopwatch());
  const watch = new Stopwatch();
  const sum = await work(task, measured, watch);
  console.log(JSON.stringify(watch.outcome(measured.records, sum)));
}
