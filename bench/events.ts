// npx tsx bench/events.ts
// What events cost, in CPU time: the look at the flag that stands in their place while nobody listens, an event that somebody listens to, and records through
// the box in memory, written and read back, in the three cases: nobody listens, one listens to every channel, metrics are collected. The three are
// interleaved in one process; no broker.
import { openPartitions } from '../src/core/consumer/open-partitions.ts';
import { onEvent, produceEvents, requestEvents } from '../src/core/events/channels.ts';
import { systemClock, systemRandom } from '../src/core/clock.ts';
import { Kafka } from '../src/core/client.ts';
import { collectMetrics } from '../src/metrics/index.ts';
import { createBroker } from '../src/testing/broker/create-broker.ts';
import { median } from './harness/report.ts';

const NS_PER_MS = 1e6;
const LOOKS = 5_000_000;
const EVENTS = 200_000;
const RECORDS = 100_000;
const ROUNDS = 7;
const WARM_UP_ROUNDS = 1;

const value = 'x'.repeat(100);

/** Of all threads of the process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const show = (name: string, ns: number, unit: string): void =>
  console.log(`${name.padEnd(52)} ${ns.toFixed(2).padStart(9)} ${unit}`);

function perLook(): number {
  let told = 0;
  const startedAt = cpuMs();
  for (let at = 0; at < LOOKS; at += 1) if (produceEvents.hasSubscribers) told += 1;
  const ns = ((cpuMs() - startedAt) * NS_PER_MS) / LOOKS;
  if (told > 0) throw new Error('somebody listens');
  return ns;
}

function perEvent(): number {
  let bytes = 0;
  const stop = onEvent('sluice:request', (event) => (bytes += event.requestBytes));
  const place = { clientId: 'c', connectionId: 1, nodeId: 1, host: 'h', port: 1 };
  const startedAt = cpuMs();
  for (let at = 0; at < EVENTS; at += 1)
    if (requestEvents.hasSubscribers)
      requestEvents.publish({
        ...place,
        api: 'Produce',
        apiKey: 0,
        version: 12,
        requestBytes: 1,
        kind: 'sent',
      });
  const ns = ((cpuMs() - startedAt) * NS_PER_MS) / EVENTS;
  stop();
  if (bytes !== EVENTS) throw new Error(`${bytes} events`);
  return ns;
}

/** CPU milliseconds for records into a topic and out again. */
async function throughBox(kafka: Kafka, topic: string): Promise<number> {
  const startedAt = cpuMs();
  const producer = kafka.producer();
  await new Promise<void>((resolve, reject) => {
    let acked = 0;
    let sent = 0;
    const receipt = {
      onAcked: () => {
        acked += 1;
        if (acked === RECORDS) resolve();
      },
      onFailed: reject,
    };
    const record = { value };
    const fill = (): void => {
      while (sent < RECORDS) {
        sent += 1;
        if (!producer.send(topic, record, receipt)) return;
      }
    };
    producer.onReady(fill);
    fill();
  });
  await producer.close();
  const open = await openPartitions(kafka.cluster, { topic, from: 'earliest', to: 'latest' });
  await Promise.all(
    open.readers.map(
      (reader) =>
        new Promise<void>((resolve, reject) =>
          reader.start({
            onRecord: (_, sequence) => reader.settle(sequence),
            onPressure: () => undefined,
            onEnd: resolve,
            onError: reject,
          }),
        ),
    ),
  );
  open.close();
  return cpuMs() - startedAt;
}

async function oneRound(listen: () => () => void): Promise<number> {
  const box = await createBroker({ listen: 'memory', topics: { t: 1 } });
  const kafka = new Kafka(
    { brokers: box.bootstrap },
    { clock: systemClock, random: systemRandom, transport: box.transport },
  );
  const stop = listen();
  const ms = await throughBox(kafka, 't');
  stop();
  await kafka.close();
  await box.close();
  return (ms * NS_PER_MS) / RECORDS;
}

const cases: readonly (readonly [string, () => () => void])[] = [
  ['records in and out, nobody listens', () => () => undefined],
  [
    'records in and out, one listens to requests and batches',
    () => {
      let told = 0;
      const stops = [
        onEvent('sluice:request', () => (told += 1)),
        onEvent('sluice:produce', () => (told += 1)),
        onEvent('sluice:fetch', () => (told += 1)),
      ];
      return () => {
        for (const stop of stops) stop();
        if (told === 0) throw new Error('nothing was told');
      };
    },
  ],
  [
    'records in and out, metrics are collected',
    () => {
      const metrics = collectMetrics();
      return () => {
        metrics.close();
        if (metrics.value('record-send-total') !== RECORDS) throw new Error('not all were counted');
      };
    },
  ],
];

const looks: number[] = [];
const publications: number[] = [];
const costs = cases.map((): number[] => []);
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  const look = perLook();
  const event = perEvent();
  if (round >= 0) {
    looks.push(look);
    publications.push(event);
  }
  for (const [at, [, listen]] of cases.entries()) {
    const ns = await oneRound(listen);
    if (round >= 0) costs[at]!.push(ns);
  }
}
show('a look, with nobody listening', median(looks), 'ns');
show('an event, made and listened to', median(publications), 'ns');
for (const [at, [name]] of cases.entries()) show(name, median(costs[at]!), 'ns/record');
