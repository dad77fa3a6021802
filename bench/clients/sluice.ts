// Ours, through the public surface and with every default.
import { lastValueFrom } from 'rxjs';
import { filter, fromIterable, Kafka, map, settle, sluice, topology } from 'sluice';
import { runTask, values, weight, type Job, type Stopwatch, type Task } from './workload.ts';

const pool = values();
let kafka: Kafka | undefined;

function* some(count: number): Generator<Buffer, void> {
  for (let at = 0; at < count; at++) yield pool[at % pool.length]!;
}

async function produce({ brokers }: Task, job: Job, watch: Stopwatch): Promise<number> {
  kafka ??= new Kafka({ brokers });
  const { toTopic } = sluice(kafka);
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
  return sum;
}

async function consume({ brokers }: Task, job: Job, watch: Stopwatch): Promise<number> {
  kafka ??= new Kafka({ brokers });
  let seen = 0;
  let sum = 0;
  let reached = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const running = topology('consume', ({ fromGroup }) =>
    fromGroup({ groupId: job.groupId, topics: [job.topic] }).pipe(
      map((record) => record.value!),
      filter((value) => {
        if (seen === 0) watch.start();
        sum += weight(value);
        if (++seen === job.records) {
          watch.stop();
          reached();
        }
        return (value[0]! & 1) === 0;
      }),
    ),
  ).start(kafka);
  await Promise.race([all, running.done]);
  await running.drain();
  return sum;
}

await runTask({ produce, consume });
await kafka?.close();
