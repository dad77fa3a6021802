// The limit: what one Node process does over one plain socket with no client around it. One broker only; it has no groups and retries nothing.
import { filter, map, Observable } from 'rxjs';
import { ProbeReader, type ProbeRecord } from './probe/read.ts';
import { ProbeWire } from './probe/wire.ts';
import { ProbeWriter } from './probe/write.ts';
import { runTask, task, type Done } from './run-task.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';
import type { Job } from './task.ts';
import { values } from './values.ts';

const pool = values(task.valueBytes, task.valueKind);

async function withWire<R>(use: (wire: ProbeWire) => Promise<R>): Promise<R> {
  const wire = new ProbeWire(task.brokers[0]!);
  const broken = new Promise<never>((_, reject) => {
    wire.onError = reject;
  });
  try {
    return await Promise.race([use(wire), broken]);
  } finally {
    wire.close();
  }
}

function produce(job: Job, watch: Stopwatch): Promise<Done> {
  return withWire(async (wire) => {
    const writer = new ProbeWriter(wire, job, pool);
    watch.start();
    await new Promise<void>((resolve) => writer.start(resolve));
    watch.stop();
    return { sum: writer.sum };
  });
}

function read(job: Job, watch: Stopwatch): Promise<Done> {
  return withWire(async (wire) => {
    const tally = new Tally(job.records, watch);
    tally.begin();
    const records = new Observable<ProbeRecord>((subscriber) =>
      new ProbeReader(wire, job, subscriber, () => tally.complete).start(),
    );
    records
      .pipe(
        map((record) => record.value),
        filter((value) => tally.add(value)),
      )
      .subscribe();
    await tally.all;
    return tally.done();
  });
}

await runTask({ produce, read });
