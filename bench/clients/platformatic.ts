// @platformatic/kafka: sends of large batches, several at a time; a stream of messages that commits by itself.
import { Consumer, Producer } from '@platformatic/kafka';
import { sendInTurn } from './awaited.ts';
import { runTask, task, type Done } from './run-task.ts';
import { SteadyRun } from './steady.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';
import type { Job } from './task.ts';
import { values, weight } from './values.ts';

const ALL_IN_SYNC = -1;
const BATCH_BYTES = 200_000;
const CALLS_IN_FLIGHT = 3;
const COMMIT_INTERVAL_MS = 5_000;
/** Its default of 5 s is a long time for a topic that has been read to its end. */
const MAX_WAIT_MS = 500;
const READ_UNCOMMITTED = 0;
/** In messages; the default of 1,024 is a tenth slower. */
const HIGH_WATER_MARK = 16_384;

const pool = values(task.valueBytes, task.valueKind);
const batchRecords = Math.ceil(BATCH_BYTES / task.valueBytes);
const shared = { clientId: 'bench', bootstrapBrokers: [...task.brokers] };
const producer = new Producer({ ...shared, acks: ALL_IN_SYNC });
const { compression = 'none' } = task;

const sendAll = (topic: string, some: readonly Buffer[]): Promise<unknown> =>
  producer.send({ messages: some.map((value) => ({ topic, value })), acks: ALL_IN_SYNC, compression });

async function produce({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  let next = 0;
  let sum = 0;
  const sendInBatches = async (): Promise<void> => {
    while (next < records) {
      const some: Buffer[] = [];
      for (; next < records && some.length < batchRecords; next++) some.push(pool[next % pool.length]!);
      await sendAll(topic, some);
      for (const value of some) sum += weight(value);
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, sendInBatches));
  watch.stop();
  return { sum };
}

async function until(
  all: Promise<unknown>,
  { topic, groupId }: Job,
  take: (value: Buffer) => void,
  joined: () => void = () => undefined,
): Promise<void> {
  const consumer = new Consumer({
    ...shared,
    groupId,
    autocommit: COMMIT_INTERVAL_MS,
    maxWaitTime: MAX_WAIT_MS,
    isolationLevel: READ_UNCOMMITTED,
    highWaterMark: HIGH_WATER_MARK,
  });
  consumer.on('consumer:group:join', joined);
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
  const failed = new Promise<never>((_, reject) => stream.on('error', reject));
  stream.on('data', ({ value }: { value: Buffer }) => take(value));
  await Promise.race([all, failed]);
  await stream.close();
  await consumer.close();
}

async function consume(job: Job, watch: Stopwatch): Promise<Done> {
  const tally = new Tally(job.records, watch);
  await until(
    tally.all,
    job,
    (value) => tally.add(value),
    () => tally.begin(),
  );
  return tally.done();
}

const awaited = ({ topic, records }: Job, watch: Stopwatch): Promise<Done> =>
  sendInTurn(pool, records, watch, (value) => sendAll(topic, [value]));

async function steady(job: Job, watch: Stopwatch): Promise<Done> {
  const run = new SteadyRun(pool, job.records, task.recordsPerSecond, watch);
  const sending = run.run((some) => void sendAll(job.topic, some));
  await until(sending, job, run.arrive);
  return sending;
}

await runTask({ produce, consume, awaited, steady }, () => producer.close());
