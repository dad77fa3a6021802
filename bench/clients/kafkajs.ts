// kafkajs in its fast documented modes: sendBatch with large batches, eachBatch with autoCommit.
import { CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { runTask, values, weight, type Job, type Stopwatch, type Task } from './workload.ts';

const BATCH_RECORDS = 2_000;
const CALLS_IN_FLIGHT = 3;
/** A tenth faster than the default of 1 MiB. */
const FETCH_BYTES = 4 * 1024 * 1024;

const pool = values();
let producer: Producer | undefined;

const connect = ({ brokers }: Task): Kafka =>
  new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.ERROR });

async function connectProducer(task: Task): Promise<Producer> {
  const created = connect(task).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await created.connect();
  return created;
}

async function produce(task: Task, job: Job, watch: Stopwatch): Promise<number> {
  const to = (producer ??= await connectProducer(task));
  let next = 0;
  let sum = 0;
  const sendInTurn = async (): Promise<void> => {
    while (next < job.records) {
      const messages: { value: Buffer }[] = [];
      for (; next < job.records && messages.length < BATCH_RECORDS; next++)
        messages.push({ value: pool[next % pool.length]! });
      const topicMessages = [{ topic: job.topic, messages }];
      await to.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
      for (const { value } of messages) sum += weight(value);
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, sendInTurn));
  watch.stop();
  return sum;
}

async function consume(task: Task, job: Job, watch: Stopwatch): Promise<number> {
  const consumer = connect(task).consumer({ groupId: job.groupId, maxBytesPerPartition: FETCH_BYTES });
  let seen = 0;
  let sum = 0;
  let kept = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [job.topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({
      autoCommit: true,
      autoCommitInterval: 5_000,
      partitionsConsumedConcurrently: 3,
      eachBatch: async ({ batch }) => {
        if (seen === 0) watch.start();
        for (const { value } of batch.messages) {
          sum += weight(value!);
          if ((value![0]! & 1) === 0) kept++;
          if (++seen === job.records) watch.stop();
        }
        if (seen >= job.records) resolve();
      },
    });
  });
  await consumer.disconnect();
  if (kept === 0) throw new Error('nothing was kept');
  return sum;
}

await runTask({ produce, consume });
await producer?.disconnect();
