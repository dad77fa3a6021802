// npm run bench -- [--rounds 3] [--records 1000000] [--against folder]
// Ours and kafkajs on a real Kafka, produce and consume, interleaved; each measurement in a process of its own. KAFKA_BROKERS names a cluster to
// use, else one is started from its jars. `--against` adds an earlier build of ours (a copy of .cache/bench). Writes bench/results and docs/benchmarks.md.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { javaAnswers, KAFKA_VERSION, kafkaLib } from '../test/helpers/kafka/jars.ts';
import { startRealKafka } from '../test/helpers/kafka/real-kafka.ts';
import { Kafka } from '../src/core/client.ts';
import { buildInto } from './build.ts';
import { expectedSum, VALUE_BYTES, type Job, type Outcome, type Task } from './clients/workload.ts';
import { machineLine } from './machine.ts';
import { writePage } from './page.ts';
import { rowsOf, tableOf, type Sample } from './report.ts';

const PARTITIONS = 3;
const WARM_UP_SHARE = 0.25;
/** Reading is faster than writing, so more is read. */
const CONSUMED_SHARE = 2;
const CLIENT_TIMEOUT_MS = 120_000;
const PEER = 'kafkajs';

const execute = promisify(execFile);
const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1000000' },
    against: { type: 'string' },
  },
});
const rounds = Number(given.rounds);
const records = Number(given.records);
if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(records) && records > 0))
  throw new Error('--rounds and --records are whole numbers from 1');

interface Client {
  readonly name: string;
  readonly file: string;
}

class Bench {
  private readonly brokers: readonly string[];
  private readonly kafka: Kafka;
  private readonly id = `bench-${process.pid}-${Date.now().toString(36)}`;
  private names = 0;
  private readonly topics = new Set<string>();
  private readonly groups = new Set<string>();

  constructor(brokers: readonly string[]) {
    this.brokers = brokers;
    this.kafka = new Kafka({ brokers });
  }

  async measure(clients: readonly Client[]): Promise<Sample[]> {
    const samples: Sample[] = [];
    try {
      const small = await this.newTopic(records * WARM_UP_SHARE);
      const large = await this.newTopic(records * CONSUMED_SHARE);
      await this.produce(clients[0]!, small, large);
      for (let round = 1; round <= rounds; round++) {
        // Who goes first changes, so that nobody always meets a busy broker.
        const order = round % 2 === 1 ? clients : [...clients].reverse();
        for (const client of order) {
          const job = await this.newTopic(records);
          const outcome = await this.produce(client, await this.newTopic(small.records), job);
          samples.push(printed({ ...outcome, work: 'produce', client: client.name, round }));
          if (round === rounds) await this.consume(clients[0]!, small, job);
          await this.deleteTopic(job.topic);
        }
        for (const client of order) {
          const outcome = await this.consume(client, small, large);
          samples.push(printed({ ...outcome, work: 'consume', client: client.name, round }));
        }
      }
    } finally {
      await this.kafka.admin().deleteTopics([...this.topics]);
      await this.kafka.admin().deleteGroups([...this.groups]);
      await this.kafka.close();
    }
    return samples;
  }

  private async newTopic(count: number): Promise<Job> {
    const topic = `${this.id}-${++this.names}`;
    await this.kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
    this.topics.add(topic);
    return { topic, groupId: '', records: Math.round(count) };
  }

  private async deleteTopic(topic: string): Promise<void> {
    await this.kafka.admin().deleteTopics([topic]);
    this.topics.delete(topic);
  }

  private async produce(client: Client, warmUp: Job, measured: Job): Promise<Outcome> {
    const outcome = await this.start(client, { brokers: this.brokers, work: 'produce', warmUp, measured });
    const ends = await this.kafka.admin().listOffsets(measured.topic, 'latest');
    const written = ends.reduce((sum, { offset }) => sum + offset, 0);
    if (written !== measured.records)
      throw new Error(`${client.name} wrote ${written} records, not ${measured.records}`);
    return outcome;
  }

  /** Checked besides the values: that everything is committed. */
  private async consume(client: Client, warmUp: Job, measured: Job): Promise<Outcome> {
    const job = this.inNewGroup(measured);
    const task = {
      brokers: this.brokers,
      work: 'consume',
      warmUp: this.inNewGroup(warmUp),
      measured: job,
    } as const;
    const outcome = await this.start(client, task);
    const commits = await this.kafka.admin().fetchOffsets(job.groupId);
    const committed = commits.reduce((sum, { offset }) => sum + offset, 0);
    if (committed !== job.records)
      throw new Error(`${client.name} committed ${committed} records, not ${job.records}`);
    return outcome;
  }

  private inNewGroup(job: Job): Job {
    const groupId = `${this.id}-${++this.names}`;
    this.groups.add(groupId);
    return { ...job, groupId };
  }

  private async start(client: Client, task: Task): Promise<Outcome> {
    const { stdout } = await execute(process.execPath, [client.file, JSON.stringify(task)], {
      timeout: CLIENT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const outcome = JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome;
    const expected = expectedSum(task.measured.records);
    if (outcome.sum !== expected)
      throw new Error(`${client.name}: the values of ${task.work} add up to ${outcome.sum}, not ${expected}`);
    return outcome;
  }
}

function printed(sample: Sample): Sample {
  const rate = Math.round(sample.records / sample.seconds / 1_000);
  console.log(
    `round ${sample.round}  ${sample.work.padEnd(8)} ${sample.client.padEnd(8)} ${rate},000 records/s`,
  );
  return sample;
}

async function withBrokers<R>(use: (brokers: readonly string[], kind: string) => Promise<R>): Promise<R> {
  const named = process.env['KAFKA_BROKERS'];
  if (named !== undefined && named !== '') return use(named.split(','), 'Kafka at KAFKA_BROKERS');
  const lib = javaAnswers() ? kafkaLib() : undefined;
  if (lib === undefined)
    throw new Error('The bench needs a real Kafka: set KAFKA_BROKERS, or install Java 17 and Maven.');
  const kafka = await startRealKafka({ lib });
  try {
    return await use(kafka.bootstrap, `Kafka ${KAFKA_VERSION}, one broker on loopback`);
  } finally {
    await kafka.stop();
  }
}

const folder = buildInto(path.join('.cache', 'bench'));
const clients: Client[] = [
  { name: 'sluice', file: path.join(folder, 'sluice.js') },
  { name: PEER, file: path.join(folder, 'kafkajs.js') },
];
if (given.against !== undefined)
  clients.push({ name: 'against', file: path.join(given.against, 'clients', 'sluice.js') });

await withBrokers(async (brokers, kind) => {
  const machine = machineLine(kind);
  console.log(machine);
  const samples = await new Bench(brokers).measure(clients);
  const rows = rowsOf(samples, PEER);
  const table = tableOf(rows, PEER);
  console.log(`\n${table}`);
  const results = path.join('bench', 'results');
  mkdirSync(results, { recursive: true });
  const at = new Date().toISOString();
  const setting = { records, rounds, partitions: PARTITIONS, valueBytes: VALUE_BYTES };
  writeFileSync(
    path.join(results, `${at.slice(0, 19).replaceAll(':', '-')}.json`),
    `${JSON.stringify({ at, machine, setting, rows, samples }, undefined, 1)}\n`,
  );
  // A page that is published compares with what anyone can install.
  if (given.against === undefined) writePage({ machine, table, rounds, records });
});
