import { createReadStream } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { fromIterable, fromReadable, map, settle } from 'sluice';
import { sendInTurn } from '../awaited.ts';
import { task, type Done } from '../run-task.ts';
import type { Stopwatch } from '../stopwatch.ts';
import type { Job } from '../task.ts';
import { textWeight, weight } from '../values.ts';
import { kafka, pool, toTopic } from './setup.ts';

function* some(count: number): Generator<Buffer, void> {
  for (let at = 0; at < count; at++) yield pool[at % pool.length]!;
}

export async function produce(job: Job, watch: Stopwatch): Promise<Done> {
  let sum = 0;
  watch.start();
  await lastValueFrom(
    fromIterable(some(job.records)).pipe(
      toTopic(job.topic, (value) => ({ value })),
      map((value) => {
        sum += weight(value);
      }),
      settle(),
    ),
  );
  watch.stop();
  return { sum };
}

export async function files(job: Job, watch: Stopwatch): Promise<Done> {
  let sum = 0;
  watch.start();
  for (const file of job.files)
    await lastValueFrom(
      fromReadable(createReadStream(file), { as: 'lines' }).pipe(
        toTopic(job.topic, (value) => ({ value })),
        map((line) => {
          sum += textWeight(line);
        }),
        settle(),
      ),
    );
  watch.stop();
  return { sum };
}

export async function awaited(job: Job, watch: Stopwatch): Promise<Done> {
  const producer = kafka.producer({ lingerMs: task.lingerMs });
  const done = await sendInTurn(pool, job.records, watch, (value) =>
    producer.sendAsync(job.topic, { key: null, value }),
  );
  await producer.close();
  return done;
}
