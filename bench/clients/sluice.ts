// Ours, through the public surface and with every default but what the workload names.
import { lastValueFrom } from 'rxjs';
import { filter, fromIterable, Kafka, map, settle, sluice, topology } from 'sluice';
import { runTask, task, type Done } from './run-task.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';
import type { Job } from './task.ts';
import { values, weight } from './values.ts';

const pool = values(task.valueBytes, task.valueKind);
const kafka = new Kafka({ brokers: task.brokers });
const { toTopic, fromPartitions } = sluice(kafka, { producer: { lingerMs: task.lingerMs } });

function* some(count: number): Generator<Buffer, void> {
  for (let at = 0; at < count; at++) yield pool[at % pool.length]!;
}

async function produce(job: Job, watch: Stopwatch): Promise<Done> {
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

async function read({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  await lastValueFrom(
    fromPartitions({ topic, from: 'earliest', to: 'latest' }).pipe(
      map((record) => record.value!),
      filter((value) => tally.add(value)),
      settle(),
    ),
  );
  return tally.done();
}

async function consume({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(records, watch);
  const running = topology('consume', ({ fromGroup }) =>
    fromGroup({ groupId, topics: [topic] }).pipe(
      map((record) => record.value!),
      filter((value) => tally.add(value)),
    ),
  ).start(kafka);
  await Promise.race([tally.all, running.done]);
  await running.drain();
  return tally.done();
}

await runTask({ produce, read, consume }, () => kafka.close());
