// How many records are done twice when members join and leave: a plain kafkajs consumer, a topology over kafkajs, and a topology over our own client, under
// the same acts.
//   npm run compare:duplicates [-- records]      on KAFKA_BROKERS, or on the broker in the box
import kafkajs from 'kafkajs';
import { Kafka, mapAsync, text, topology } from '../src/index.ts';
import { kafkajs as over } from '../src/kafkajs/index.ts';
import { createBroker } from '../src/testing/index.ts';

const RECORDS = Number(process.argv[2] ?? 6_000);
const PARTITIONS = 6;
/** What one record takes, and in the second comparison one in so many. */
const WORK_MS = 5;
const SLOW_MS = 9_000;
const SLOW_EVERY = 500;
const SESSION_MS = 6_000;
const CONCURRENCY = 5;
const POLL_MS = 20;
/** A client that has not done everything by then never will. */
const LIMIT_MS = 120_000;

const given = process.env['KAFKA_BROKERS'];
const box = given === undefined || given === '' ? await createBroker({ brokers: 3 }) : undefined;
const brokers = box === undefined ? given!.split(',') : box.bootstrap;
const run = Date.now().toString(36);
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
const client = (): kafkajs.Kafka =>
  new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, connectionTimeout: 10_000 });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What a member did, counted by value. */
type Work = (value: string) => Promise<void>;
type Stop = () => Promise<unknown>;
type Member = (groupId: string, topic: string, work: Work) => Promise<Stop>;

const copying = (groupId: string, topic: string, work: Work) =>
  topology('duplicates', ({ fromGroup }) =>
    fromGroup({
      groupId,
      topics: [topic],
      value: text(),
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 500,
      credit: { records: 50 },
    }).pipe(mapAsync(({ value }) => work(value), { concurrency: CONCURRENCY, order: 'input' })),
  );

const PLAIN = 'kafkajs, eachMessage';
const WAYS: Readonly<Record<string, Member>> = {
  [PLAIN]: async (groupId, topic, work) => {
    const consumer = client().consumer({
      groupId,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 500,
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: CONCURRENCY,
      eachMessage: ({ message }) => work(String(message.value)),
    });
    return () => consumer.disconnect();
  },
  'sluice/kafkajs': async (groupId, topic, work) => {
    const running = copying(groupId, topic, work).start(over(client()));
    await running.ready;
    return () => running.drain();
  },
  sluice: async (groupId, topic, work) => {
    const kafka = new Kafka({ brokers });
    const running = copying(groupId, topic, work).start(kafka);
    await running.ready;
    return async () => {
      await running.drain();
      await kafka.close();
    };
  },
};

const slowness = (value: string): number => (Number(value) % SLOW_EVERY === 1 ? SLOW_MS : WORK_MS);
const COMPARISONS: readonly Comparison[] = [
  {
    title: 'a second member joins, a third joins, the first leaves, a fourth joins, the second leaves',
    workMs: () => WORK_MS,
    acts: ['join', 'join', 'leave', 'join', 'leave'],
  },
  {
    title: `a second member joins; one record in ${SLOW_EVERY} takes ${SLOW_MS} ms, and a session is over after ${SESSION_MS} ms`,
    workMs: slowness,
    acts: ['join'],
  },
];

console.log(
  `${RECORDS} records on ${PARTITIONS} partitions, ${WORK_MS} ms each, ${CONCURRENCY} at a time, on ${box === undefined ? 'a real cluster' : 'the broker in the box'}`,
);
for (const comparison of COMPARISONS) {
  console.log(`\n${comparison.title}`);
  for (const [name, start] of Object.entries(WAYS)) {
    const { duplicates, lost } = await measure(name, start, comparison);
    const verdict = lost === 0 ? 'lost 0' : `not done within ${LIMIT_MS / 1_000} s: ${lost}`;
    console.log(`  ${name.padEnd(22)} done twice ${String(duplicates).padStart(5)}   ${verdict}`);
    if (lost > 0 && name !== PLAIN) process.exitCode = 1;
  }
}
await box?.close();

interface Comparison {
  readonly title: string;
  readonly acts: readonly ('join' | 'leave')[];
  workMs(value: string): number;
}

async function measure(
  name: string,
  start: Member,
  { title, acts, workMs }: Comparison,
): Promise<{ duplicates: number; lost: number }> {
  const id = `duplicates-${name.replace(/\W+/g, '-')}-${title.length}-${run}`;
  await fill(id);
  const times = new Map<string, number>();
  let done = 0;
  const work: Work = async (value) => {
    await pause(workMs(value));
    done += 1;
    times.set(value, (times.get(value) ?? 0) + 1);
  };
  const untilMs = performance.now() + LIMIT_MS;
  const share = async (part: number): Promise<void> => {
    while (times.size < RECORDS * part && performance.now() < untilMs) await pause(POLL_MS);
  };
  const members: Stop[] = [await start(id, id, work)];
  for (const [at, act] of acts.entries()) {
    await share((at + 1) / 8);
    if (act === 'join') members.push(await start(id, id, work));
    else await members.shift()!();
  }
  await share(1);
  await Promise.all(members.map((stop) => stop()));
  return { duplicates: done - times.size, lost: RECORDS - times.size };
}

async function fill(topic: string): Promise<void> {
  const kafka = new Kafka({ brokers });
  await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
  const producer = kafka.producer();
  const sent = Array.from({ length: RECORDS }, (_, at) =>
    producer.sendAsync(topic, { value: String(at), partition: at % PARTITIONS }),
  );
  await Promise.all(sent);
  await producer.close();
  await kafka.close();
}
