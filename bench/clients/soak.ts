// Ours at full consume speed for a long time: the same records read in group after group by one process, whose memory is taken once a second. Told and
// answering as the other clients; the job is repeated until the time is over.
import { consume } from './sluice/consume.ts';
import { kafka } from './sluice/setup.ts';
import { task } from './run-task.ts';
import { Stopwatch } from './stopwatch.ts';

/** The passes are not timed: a watch for each would leave a histogram behind. */
class SilentWatch extends Stopwatch {
  override start(): void {}
  override stop(): void {}
}

const SAMPLE_MS = 1_000;
const MS_PER_SECOND = 1_000;

/** What the soak answers, as JSON on the last line of its output. */
export interface Soaked {
  readonly records: number;
  readonly seconds: number;
  /** Once a second. */
  readonly rssBytes: readonly number[];
  readonly loopDelayP99Ms: number;
}

const seconds = Number(process.argv[3]);
const watch = new Stopwatch();
await watch.calibrate();
const silent = new SilentWatch();
await consume(task.warmUp, silent);
const rssBytes: number[] = [];
const sampling = setInterval(() => rssBytes.push(process.memoryUsage.rss()), SAMPLE_MS);
const startedAt = performance.now();
let passes = 0;
watch.start();
while (performance.now() - startedAt < seconds * MS_PER_SECOND) {
  const groupId = `${task.measured.groupId}-${++passes}`;
  await consume({ ...task.measured, groupId }, silent);
}
watch.stop();
clearInterval(sampling);
const records = passes * task.measured.records;
const { loopDelayP99Ms = 0, seconds: took } = await watch.outcome(records, 0, undefined);
const soaked: Soaked = { records, seconds: took, rssBytes, loopDelayP99Ms };
await kafka.close();
console.log(JSON.stringify(soaked));
