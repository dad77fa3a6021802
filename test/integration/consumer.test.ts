// Partitions read from a real broker, written by Java's tools where they are there.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { openPartitions, type OpenOptions } from '../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../src/core/consumer/partition-reader.ts';
import type { KafkaError } from '../../src/errors.ts';
import { topicReady } from '../helpers/topic-ready.ts';
import { until } from '../helpers/until.ts';

const brokers = process.env['KAFKA_BROKERS'];
const lib = process.env['KAFKA_LIB'];
const withBroker = brokers === undefined ? describe.skip : describe;
const withJava = lib === undefined ? it.skip : it;

async function java(main: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'java',
    ['-XX:TieredStopAtLevel=1', '-cp', path.join(lib!, '*'), main, ...args],
    {
      maxBuffer: 1 << 26,
    },
  );
  return stdout;
}

interface Read {
  readonly offsets: number[];
  readonly values: (string | null)[];
  errors: KafkaError[];
}

/** Reads to the end, settling at once. */
function toEnd(reader: PartitionReader): Promise<Read> {
  return new Promise((resolve, reject) => {
    const read: Read = { offsets: [], values: [], errors: [] };
    reader.start({
      onRecord(record, sequence) {
        read.offsets.push(record.offset);
        read.values.push(record.valueText);
        reader.settle(sequence);
      },
      onPressure() {},
      onEnd: () => resolve(read),
      onError: reject,
    });
  });
}

withBroker('reading partitions of a real broker', () => {
  let kafka: Kafka;
  const topics: string[] = [];

  beforeAll(() => {
    kafka = new Kafka({ brokers: brokers!.split(',') });
  });
  afterAll(async () => {
    const existing = new Set((await kafka.admin().listTopics()).map(({ name }) => name));
    await kafka.admin().deleteTopics(topics.filter((name) => existing.has(name)));
    await kafka.close();
  });

  async function topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `consumer-${randomUUID()}`;
    topics.push(name);
    await kafka.admin().createTopics([{ name, partitions, replicationFactor: 1, configs }]);
    await topicReady(kafka, name, partitions);
    return name;
  }

  async function write(name: string, from: number, count: number, partition = 0, size = 20): Promise<void> {
    const producer = kafka.producer();
    const sent = Array.from({ length: count }, (_, at) =>
      producer.sendAsync(name, { value: `v${from + at}`.padEnd(size, '.'), partition }),
    );
    await Promise.all(sent);
    await producer.close();
  }

  async function readAll(
    options: OpenOptions,
  ): Promise<{ reads: Read[]; readers: readonly PartitionReader[] }> {
    const open = await openPartitions(kafka.cluster, { to: 'latest', ...options });
    const reads = await Promise.all(open.readers.map(toEnd));
    open.close();
    return { reads, readers: open.readers };
  }

  it('reads what our producer wrote, from every kind of position to every kind of end', async () => {
    const name = await topic(2);
    await write(name, 0, 500);
    const between = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await write(name, 500, 500);
    const count = async (options: Omit<OpenOptions, 'topic'>): Promise<number[]> =>
      (await readAll({ topic: name, ...options })).reads.map(({ offsets }) => offsets.length);
    expect(await count({ from: 'earliest' })).toEqual([1000, 0]);
    expect(await count({ from: 'latest' })).toEqual([0, 0]);
    expect(await count({ from: 990, partitions: [0] })).toEqual([10]);
    expect(await count({ from: 'earliest', to: 7, partitions: [0] })).toEqual([7]);
    expect(await count({ from: { timestamp: between + 5 } })).toEqual([500, 0]);
    expect(await count({ from: 'earliest', to: { timestamp: between + 5 } })).toEqual([500, 0]);
    const { reads } = await readAll({ topic: name, from: 'earliest', partitions: [0] });
    expect(reads[0]!.values.map((value) => value!.replaceAll('.', ''))).toEqual(
      Array.from({ length: 1000 }, (_, at) => `v${at}`),
    );
    await expect(readAll({ topic: name, from: 'earliest', partitions: [2] })).rejects.toThrow(
      /partitions 0 to 1; there is no 2/,
    );
    await expect(readAll({ topic: `no-${name}`, from: 'earliest', deadlineMs: 2000 })).rejects.toMatchObject({
      code: 'BROKER_ERROR',
    });
  }, 300_000);

  withJava(
    'reads all that Java writes, with every codec',
    async () => {
      for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
        const name = await topic(3);
        const records = 30_000;
        await java(
          'org.apache.kafka.tools.ProducerPerformance',
          ...[
            '--topic',
            name,
            '--num-records',
            String(records),
            '--record-size',
            '200',
            '--throughput',
            '-1',
          ],
          ...[
            '--producer-props',
            `bootstrap.servers=${brokers}`,
            `compression.type=${codec}`,
            'batch.size=65536',
          ],
        );
        const { reads, readers } = await readAll({ topic: name, from: 'earliest' });
        expect(reads.reduce((sum, { offsets }) => sum + offsets.length, 0)).toBe(records);
        reads.forEach(({ offsets, values }, at) => {
          expect(offsets.every((offset, index) => offset === index)).toBe(true);
          expect(values.every((value) => value!.length === 200)).toBe(true);
          expect(readers[at]!.commitPoint()).toMatchObject({ offset: offsets.length, leaderEpoch: 0 });
          expect(readers[at]!.retainedBytes).toBe(0);
        });
      }
    },
    300_000,
  );

  withJava(
    'reads exactly the committed records of transactions, some of them aborted, up to the end offset',
    async () => {
      const [input, output] = [await topic(), await topic()];
      await write(input, 0, 3000);
      const id = `copier-${randomUUID()}`;
      await java(
        'org.apache.kafka.tools.TransactionalMessageCopier',
        ...[
          '--broker-list',
          brokers!,
          '--input-topic',
          input,
          '--input-partition',
          '0',
          '--output-topic',
          output,
        ],
        ...[
          '--consumer-group',
          id,
          '--transactional-id',
          id,
          '--transaction-size',
          '50',
          '--max-messages',
          '3000',
        ],
        '--enable-random-aborts',
      );
      const all = await readAll({ topic: output, from: 'earliest' });
      const committed = await readAll({ topic: output, from: 'earliest', isolationLevel: 'read_committed' });
      const expected = Array.from({ length: 3000 }, (_, at) => `v${at}`);
      expect(committed.reads[0]!.values.map((value) => value!.replaceAll('.', ''))).toEqual(expected);
      expect(all.reads[0]!.values.length).toBeGreaterThan(3000);
      const [end] = await kafka.admin().listOffsets(output, 'latest');
      expect(committed.readers[0]!.position).toBe(end!.offset);
      expect(committed.readers[0]!.commitPoint().offset).toBe(end!.offset);
      expect(committed.readers[0]!.lag).toBe(0);
      const resumed = await readAll({ topic: output, from: { committedBy: id }, partitions: [0] });
      expect(resumed.reads[0]!.offsets[0]).toBe(0);
      const consumed = await readAll({ topic: input, from: { committedBy: id } });
      expect(consumed.reads[0]!.offsets).toEqual([]);
    },
    300_000,
  );

  it('delivers records larger than every limit, beside small ones, in a small budget', async () => {
    const name = await topic(2);
    await write(name, 0, 5, 0, 900_000);
    await write(name, 0, 2000, 1, 1000);
    const { reads } = await readAll({
      topic: name,
      from: 'earliest',
      budgetBytes: 200_000,
      partitionFetchBytes: 30_000,
      prefetchBytes: 30_000,
    });
    expect(reads.map(({ offsets }) => offsets.length)).toEqual([5, 2000]);
    expect(reads[0]!.values.map((value) => value!.length)).toEqual(new Array<number>(5).fill(900_000));
  }, 300_000);

  it('fails out of range with the range named, or goes on where told', async () => {
    const name = await topic();
    await write(name, 0, 100);
    await kafka.admin().deleteRecords([{ topic: name, partition: 0, beforeOffset: 60 }]);
    await expect(readAll({ topic: name, from: 10 })).rejects.toMatchObject({
      errorName: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringMatching(/Offset 10 of .*-0 is outside the log, which holds 60 to 99/) as unknown,
    });
    const { reads } = await readAll({ topic: name, from: 10, outOfRange: 'earliest' });
    expect(reads[0]!.offsets).toEqual(Array.from({ length: 40 }, (_, at) => 60 + at));
  }, 300_000);

  it('ends with a coded error when its topic is deleted, and when it is created anew', async () => {
    for (const again of [false, true]) {
      const name = await topic();
      await write(name, 0, 10);
      const open = await openPartitions(kafka.cluster, { topic: name, from: 'earliest' });
      let seen = 0;
      const failure = new Promise<KafkaError>((resolve) => {
        open.readers[0]!.start({
          onRecord: (_, sequence) => {
            seen += 1;
            open.readers[0]!.settle(sequence);
          },
          onPressure() {},
          onEnd() {},
          onError: resolve,
        });
      });
      await until('all', () => seen === 10);
      await kafka.admin().deleteTopics([name]);
      if (again) {
        await kafka.admin().createTopics([{ name, partitions: 1, replicationFactor: 1 }]);
        // The controller answers before the broker has let go of the old log, which would still take a record.
        await until('the new log', async () => {
          const [end] = await kafka
            .admin()
            .listOffsets(name, 'latest')
            .catch(() => []);
          return end?.offset === 0;
        });
        await write(name, 0, 20);
      }
      const error = (await failure) as KafkaError & { readonly errorName: string };
      expect(error.errorName).toBe(again ? 'INCONSISTENT_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION');
      expect(error.retriable).toBe(false);
      expect(seen).toBe(10);
      open.close();
    }
  }, 300_000);

  it('keeps the other partitions going while one is stuck, and asks again at once when it is not', async () => {
    const name = await topic(3);
    for (const partition of [0, 1, 2]) await write(name, 0, 3000, partition, 1000);
    const open = await openPartitions(kafka.cluster, {
      topic: name,
      from: 'earliest',
      to: 'latest',
      budgetBytes: 1_500_000,
    });
    const [stuck, ...others] = open.readers;
    const held: number[] = [];
    let letGo = false;
    const offsets: number[] = [];
    const done = new Promise<void>((resolve, reject) => {
      stuck!.start({
        onRecord(record, sequence) {
          offsets.push(record.offset);
          if (letGo) stuck!.settle(sequence);
          else held.push(sequence);
        },
        onPressure() {},
        onEnd: resolve,
        onError: reject,
      });
    });
    const reads = await Promise.all(others.map(toEnd));
    expect(reads.map(({ offsets: all }) => all.length)).toEqual([3000, 3000]);
    expect(offsets.length).toBeLessThan(1500);
    expect(open.fetcher.budget.usedBytes).toBeLessThanOrEqual(1_500_000);
    letGo = true;
    for (const sequence of held) stuck!.settle(sequence);
    await done;
    expect(offsets).toEqual(Array.from({ length: 3000 }, (_, at) => at));
    open.close();
  }, 300_000);
});
