// Every operator at full speed for a long time: feeds a topic as fast as the slowest group of the topology reads it, takes the memory after a collection
// now and then, and answers with it. Told as the other clients, with the seconds behind.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Kafka } from 'sluice';
import type { GroupIds } from './operators/groups.ts';
import { everyOperator, type Counts, type OperatorTopics } from './operators/topology.ts';

/** What the program is told, as JSON. */
export interface OperatorSoak {
  readonly brokers: readonly string[];
  readonly topics: OperatorTopics;
  readonly groups: GroupIds;
  readonly seconds: number;
}

/** What the memory is once in a while, in bytes; all but `rss` after a collection. */
export interface MemorySample {
  readonly atSeconds: number;
  readonly rss: number;
  readonly heap: number;
  readonly arrayBuffers: number;
  readonly external: number;
}

/** What it answers, as JSON on the last line. */
export interface OperatorSoaked {
  readonly records: number;
  readonly seconds: number;
  readonly samples: readonly MemorySample[];
  /** What came out of each operator. */
  readonly counts: Readonly<Record<string, number>>;
}

const AHEAD_RECORDS = 50_000;
const LOOK_MS = 200;
const SAMPLES = 60;
const TRIM_EVERY_SAMPLES = 3;
const MS_PER_SECOND = 1_000;

const { brokers, topics, groups, seconds } = JSON.parse(process.argv[2]!) as OperatorSoak;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const kafka = new Kafka({ brokers });
const admin = kafka.admin();
const counts: Counts = new Map();
const running = everyOperator(groups, topics, counts).start(kafka);
const failed = running.done.then(() => {
  throw new Error('The topology ended');
});
failed.catch(() => undefined);
await Promise.race([running.ready, failed]);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How far each partition is read by the last of the groups. */
async function committed(): Promise<Map<number, number>> {
  const least = new Map<number, number>();
  for (const groupId of Object.values(groups)) {
    const points = await admin.fetchOffsets(groupId);
    const ofInput = points.filter(({ topic }) => topic === topics.input);
    if (ofInput.length === 0) return new Map();
    for (const { partition, offset } of ofInput)
      least.set(partition, Math.min(offset, least.get(partition) ?? offset));
  }
  return least;
}

/** What is read is not needed on the disk any more. */
async function trim(read: ReadonlyMap<number, number>): Promise<void> {
  const written = [topics.output, topics.dead].flatMap((topic) =>
    [...read.keys()].map((partition) => ({ topic, partition, beforeOffset: 'latest' as const })),
  );
  const all = [...read].map(([partition, beforeOffset]) => ({
    topic: topics.input,
    partition,
    beforeOffset,
  }));
  await admin.deleteRecords([...all, ...written]);
}

const producer = kafka.producer();
const receipt = {
  onAcked: () => undefined,
  onFailed: (error: Error) => {
    throw error;
  },
};
let sent = 0;
const startedAt = performance.now();
const elapsed = (): number => (performance.now() - startedAt) / MS_PER_SECOND;
const samples: MemorySample[] = [];
let done = 0;
while (elapsed() < seconds) {
  const read = await Promise.race([committed(), failed]);
  done = [...read.values()].reduce((sum, offset) => sum + offset, 0);
  for (; sent < done + AHEAD_RECORDS && producer.hasRoom(); sent++)
    producer.send(topics.input, { key: String(sent % 1_000), value: String(sent) }, receipt);
  if (elapsed() >= ((samples.length + 1) * seconds) / SAMPLES) {
    if (samples.length % TRIM_EVERY_SAMPLES === 0) await trim(read);
    const { rss } = process.memoryUsage();
    collect();
    const { heapUsed: heap, arrayBuffers, external } = process.memoryUsage();
    samples.push({ atSeconds: elapsed(), rss, heap, arrayBuffers, external });
  }
  await pause(LOOK_MS);
}
const took = elapsed();
await producer.close();
await running.abort('the time is over').catch(() => undefined);
await kafka.close();
const soaked: OperatorSoaked = { records: done, seconds: took, samples, counts: Object.fromEntries(counts) };
console.log(JSON.stringify(soaked));
