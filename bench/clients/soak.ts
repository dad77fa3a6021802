// Ours at full consume speed for a long time, in one process whose memory is taken once a second: a member of one group that goes back to the beginning of
// each partition at its end, or member after member of group after group. Told and answering as the other clients.
import { setTimeout as delay } from 'node:timers/promises';
import { eachClaim, filter, map, topology } from 'sluice';
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
const form = process.argv[4];

/** Reads the topic again and again; resolves to the records read. */
async function oneGroup(): Promise<number> {
  let records = 0;
  const { topic, groupId } = task.measured;
  const running = topology('soak', ({ fromGroup }) =>
    fromGroup({ groupId, topics: [topic] }).pipe(
      eachClaim((claim) => {
        let last = -1;
        return claim.pipe(
          map((record) => {
            if (last < 0) last = claim.highWatermark - 1;
            if (record.offset === last) claim.seek(0);
            return record.value!;
          }),
          filter((value) => {
            records += 1;
            return value.length > 0;
          }),
        );
      }),
    ),
  ).start(kafka);
  await Promise.race([delay(seconds * MS_PER_SECOND), running.done]);
  await running.drain();
  return records;
}

async function groupAfterGroup(): Promise<number> {
  const startedAt = performance.now();
  let passes = 0;
  while (performance.now() - startedAt < seconds * MS_PER_SECOND) {
    const groupId = `${task.measured.groupId}-${++passes}`;
    await consume({ ...task.measured, groupId }, silent);
  }
  return passes * task.measured.records;
}

const watch = new Stopwatch();
await watch.calibrate();
const silent = new SilentWatch();
for (const job of task.warmUps) await consume(job, silent);
const rssBytes: number[] = [];
const sampling = setInterval(() => rssBytes.push(process.memoryUsage.rss()), SAMPLE_MS);
watch.start();
const records = await (form === 'groups' ? groupAfterGroup() : oneGroup());
watch.stop();
clearInterval(sampling);
const { loopDelayP99Ms = 0, seconds: took } = await watch.outcome(records, 0, undefined);
const soaked: Soaked = { records, seconds: took, rssBytes, loopDelayP99Ms };
await kafka.close();
console.log(JSON.stringify(soaked));
