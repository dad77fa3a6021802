import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import { slowly } from '../keyed.ts';
import { task, type Done } from '../run-task.ts';
import { SteadyRun } from '../steady.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { Tally } from '../tally.ts';
import type { Job } from '../task.ts';
import type { Document } from '../values.ts';
import { kafka, pool, producer, sendAll } from './setup.ts';

/** A tenth faster than the default of 1 MiB. */
const FETCH_BYTES = 4 * 1024 * 1024;

/** Runs a consumer until `all` resolves. */
async function until(
  all: Promise<unknown>,
  { topic, groupId }: Job,
  config: ConsumerRunConfig,
  joined: () => void = () => undefined,
): Promise<void> {
  const consumer: Consumer = kafka.consumer({ groupId, maxBytesPerPartition: FETCH_BYTES });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const crash = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  });
  consumer.on(consumer.events.GROUP_JOIN, joined);
  await consumer.run({
    autoCommit: true,
    autoCommitInterval: 5_000,
    partitionsConsumedConcurrently: 3,
    ...config,
  });
  await Promise.race([all, crash]);
  await consumer.disconnect();
}

function untilFull(tally: Tally, job: Job, config: ConsumerRunConfig): Promise<void> {
  return until(tally.all, job, config, () => tally.begin());
}

/** Consumes batches of values; `take` answers for one of them. */
async function consumeEach(
  job: Job,
  watch: Stopwatch,
  take: (tally: Tally, value: Buffer) => void,
): Promise<Done> {
  const tally = new Tally(job.records, watch);
  await untilFull(tally, job, {
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) take(tally, value!);
    },
  });
  return tally.done();
}

export const consume = (job: Job, watch: Stopwatch): Promise<Done> =>
  consumeEach(job, watch, (tally, value) => tally.add(value));

export const consumeText = (job: Job, watch: Stopwatch): Promise<Done> =>
  consumeEach(job, watch, (tally, bytes) => {
    const value = bytes.toString();
    tally.addText(value);
  });

export async function consumeJson(job: Job, watch: Stopwatch): Promise<Done> {
  const { documentSchema } = await import('../document-schema.ts');
  return consumeEach(job, watch, (tally, bytes) => {
    const value: Document = documentSchema.parse(JSON.parse(bytes.toString()));
    tally.addDocument(value);
  });
}

/** One record at a time per partition: kafkajs has no other way that keeps the order. */
export async function keyed(job: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(job.records, watch);
  await untilFull(tally, job, {
    eachMessage: async ({ message }) => {
      tally.add(await slowly(message.value!));
    },
  });
  return tally.done();
}

export async function pipe(job: Job, watch: Stopwatch): Promise<Done> {
  await producer();
  const tally = new Tally(job.records, watch);
  await untilFull(tally, job, {
    eachBatch: async ({ batch }) => {
      const values = batch.messages.map(({ value }) => value!);
      await sendAll(
        job.to,
        values.map((value) => ({ value })),
      );
      for (const value of values) tally.add(value);
    },
  });
  return tally.done();
}

export async function steady(job: Job, watch: Stopwatch): Promise<Done> {
  await producer();
  const run = new SteadyRun(pool, job.records, task.recordsPerSecond, watch);
  const sending = run.run((values) => {
    void sendAll(
      job.topic,
      values.map((value) => ({ value })),
    );
  });
  await until(sending, job, {
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) run.arrive(value!);
    },
  });
  return sending;
}
