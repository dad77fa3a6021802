import { Subject } from 'rxjs';
import { fromObservable, map, settle, tap, topology } from 'sluice';
import { task, type Done } from '../run-task.ts';
import { SteadyRun } from '../steady.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { Tally } from '../tally.ts';
import type { Job } from '../task.ts';
import { until } from './consume.ts';
import { kafka, pool, toTopic } from './setup.ts';

/** Ten seconds of the rate of `steady`. */
const CAPACITY = 100_000;

export function pipe({ topic, groupId, records, to }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  return until(
    tally,
    ({ fromGroup }) => fromGroup({ groupId, topics: [topic] }),
    (flow, sluice) =>
      flow.pipe(
        map((record) => record.value!),
        sluice.toTopic(to, (value) => ({ value })),
        map((value) => tally.add(value)),
      ),
  );
}

export async function steady({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const run = new SteadyRun(pool, records, task.recordsPerSecond, watch);
  const running = topology('steady', ({ fromGroup }) =>
    fromGroup({ groupId, topics: [topic] }).pipe(tap((record) => run.arrive(record.value!))),
  ).start(kafka);
  const ticks = new Subject<Buffer>();
  const sending = fromObservable(ticks, { overflow: 'error', capacity: CAPACITY })
    .pipe(
      toTopic(topic, (value) => ({ value })),
      settle(),
    )
    .subscribe();
  const failed = running.done.then(() => {
    throw new Error('the topology ended early');
  });
  const done = await Promise.race([
    run.run((values) => {
      for (const value of values) ticks.next(value);
    }),
    failed,
  ]);
  ticks.complete();
  sending.unsubscribe();
  failed.catch(() => undefined);
  await running.drain();
  return done;
}
