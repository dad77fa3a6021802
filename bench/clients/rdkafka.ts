// node-rdkafka: produce with delivery reports, consume in batches.
import rdkafka from 'node-rdkafka';
import { runTask, task, type Done } from './run-task.ts';
import type { Stopwatch } from './stopwatch.ts';
import { Tally } from './tally.ts';
import type { Job } from './task.ts';
import { values, weight } from './values.ts';

const QUEUE_RECORDS = 100_000;
const LINGER_MS = 5;
const POLL_INTERVAL_MS = 5;
const BATCH_BYTES = 1_000_000;
const CONSUME_RECORDS = 2_000;
const CONSUME_TIMEOUT_MS = 100;

const pool = values(task.valueBytes, task.valueKind);
const shared = { 'client.id': 'bench', 'metadata.broker.list': task.brokers.join(',') };

type Client = InstanceType<typeof rdkafka.Producer> | InstanceType<typeof rdkafka.KafkaConsumer>;

const connected = (client: Client): Promise<void> =>
  new Promise((resolve, reject) => {
    client.once('ready', () => resolve());
    client.once('event.error', reject);
    client.connect();
  });

const disconnected = (client: Client): Promise<void> =>
  new Promise((resolve) => client.disconnect(() => resolve()));

async function produce({ topic, records }: Job, watch: Stopwatch): Promise<Done> {
  const producer = new rdkafka.Producer(
    {
      ...shared,
      dr_cb: true,
      'linger.ms': LINGER_MS,
      'batch.size': BATCH_BYTES,
      'batch.num.messages': 100_000,
      'queue.buffering.max.messages': QUEUE_RECORDS,
    },
    { 'request.required.acks': -1 },
  );
  await connected(producer);
  producer.setPollInterval(POLL_INTERVAL_MS);
  let sent = 0;
  let acked = 0;
  let sum = 0;
  const all = new Promise<void>((resolve, reject) => {
    producer.on('delivery-report', (error: Error | null, { opaque }: { opaque: number }) => {
      if (error !== null) reject(error);
      sum += weight(pool[opaque]!);
      if (++acked === records) resolve();
    });
  });
  const send = (): void => {
    while (sent < records && sent - acked < QUEUE_RECORDS) {
      const at = sent++ % pool.length;
      producer.produce(topic, null, pool[at]!, null, null, at);
    }
    producer.poll();
    if (sent < records) setImmediate(send);
  };
  watch.start();
  send();
  await all;
  watch.stop();
  await disconnected(producer);
  return { sum };
}

async function consume({ topic, groupId, records }: Job, watch: Stopwatch): Promise<Done> {
  const consumer = new rdkafka.KafkaConsumer(
    {
      ...shared,
      'group.id': groupId,
      'enable.auto.commit': true,
      'auto.commit.interval.ms': 5_000,
      rebalance_cb: true,
    },
    { 'auto.offset.reset': 'earliest' },
  );
  await connected(consumer);
  consumer.setDefaultConsumeTimeout(CONSUME_TIMEOUT_MS);
  const tally = new Tally(records, watch);
  consumer.once('rebalance', () => tally.begin());
  consumer.subscribe([topic]);
  while (!tally.complete) {
    const messages = await new Promise<readonly { readonly value: Buffer }[]>((resolve, reject) =>
      consumer.consume(CONSUME_RECORDS, (error, some) => (error === null ? resolve(some) : reject(error))),
    );
    for (const { value } of messages) tally.add(value);
  }
  consumer.commitSync(null);
  await disconnected(consumer);
  return tally.done();
}

await runTask({ produce, consume });
