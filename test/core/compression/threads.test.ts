// Producing and consuming while other threads compress and decompress: the order, withdrawals, deadlines and moves in between.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPartitions } from '../../../src/core/consumer/open-partitions.ts';
import type { Producer } from '../../../src/core/producer/producer.ts';
import type { ProducerOptions } from '../../../src/core/producer/options.ts';
import { Kafka } from '../../../src/index.ts';
import { createBroker, type BrokerBox } from '../../../src/testing/index.ts';
import { rejection } from '../../helpers/rejection.ts';
import { until } from '../../helpers/until.ts';

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Text of so many bytes that begins with a number. */
const text = (number: number, bytes: number): string => {
  let out = `${number} `;
  for (let at = number; out.length < bytes; at++) out += `${(at * 7_919) % 99_991},`;
  return out;
};
const numberOf = (value: unknown): number => Number.parseInt(String(value), 10);

describe('with threads', () => {
  let box: BrokerBox;
  let kafka: Kafka;
  let producer: Producer;

  const start = (options: ProducerOptions): void => {
    producer = kafka.producer({ maxRecordBytes: 4_000_000, ...options });
  };
  const numbers = async (partition = 0): Promise<number[]> =>
    (await box.records('t', partition)).map(({ value }) => numberOf(value));

  beforeEach(async () => {
    box = await createBroker({ topics: { t: 3 }, listen: 'memory', autoCreateTopics: false });
    kafka = new Kafka({ brokers: box.bootstrap }, { transport: box.transport });
  });
  afterEach(async () => {
    await producer.close();
    await kafka.close();
    await box.close();
  });

  it.each(CODECS)(
    'the order of a partition is that of sending, large batches and small, with %s',
    async (codec) => {
      start({ compression: codec, batchBytes: 300_000 });
      const sent: number[][] = [[], [], []];
      const acked: Promise<unknown>[] = [];
      for (let number = 0; number < 600; number++) {
        const partition = number % 3;
        const bytes = number % 50 < 5 ? 60_000 : 40;
        sent[partition]!.push(number);
        acked.push(producer.sendAsync('t', { value: text(number, bytes), partition }));
        // What comes in a later turn is a batch of its own, and small ones are compressed at once.
        if (number % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(acked);
      for (const partition of [0, 1, 2]) expect(await numbers(partition)).toEqual(sent[partition]);
      expect(producer.counters).toMatchObject({ retries: 0, splits: 0, recordsFailed: 0 });
    },
  );

  it('what is withdrawn while it is compressed is left out, and nothing else', async () => {
    start({ compression: 'gzip', compressionLevel: 9 });
    await producer.sendAsync('t', { value: '-1', partition: 0 });
    let withdrawn = false;
    const told: number[] = [];
    const acked: number[] = [];
    const receipt = {
      onAcked: (_partition: number, _offset: number, _timestamp: number, tag: number) => void acked.push(tag),
      onFailed: () => undefined,
      isWithdrawn: (tag: number) => withdrawn && tag % 2 === 1,
      onWithdrawn: (tag: number) => void told.push(tag),
    };
    for (let tag = 0; tag < 8; tag++)
      producer.send('t', { value: text(tag, 100_000), partition: 0 }, receipt, tag);
    const flushed = producer.flush();
    withdrawn = true;
    await flushed;
    expect(told).toEqual([1, 3, 5, 7]);
    expect(acked).toEqual([0, 2, 4, 6]);
    expect(await numbers()).toEqual([-1, 0, 2, 4, 6]);
    expect(producer.counters.recordsWithdrawn).toBe(4);
    expect(producer.hasRoom()).toBe(true);
  });

  it('a producer that is closed meanwhile tells everyone, and sends no more', async () => {
    start({ compression: 'zstd', compressionLevel: 19, maxRecordBytes: 8_000_000, batchBytes: 4_000_000 });
    await producer.sendAsync('t', { value: '0', partition: 0 });
    const late = rejection(producer.sendAsync('t', { value: text(1, 4_000_000), partition: 0 }));
    await new Promise((resolve) => setImmediate(resolve));
    await producer.close({ timeoutMs: 1 });
    expect(await late).toMatchObject({ name: 'TimeoutError', sent: false });
    expect(await numbers()).toEqual([0]);
  });

  it('a batch that codecs make larger than its limit goes out as it is', async () => {
    const limit = 50_000;
    start({ compression: 'gzip', maxRecordBytes: limit, batchBytes: limit });
    const noise = Buffer.from(
      Array.from({ length: limit - 80 }, (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 13) & 0xff),
    );
    await producer.sendAsync('t', { value: noise, partition: 0 });
    expect((await box.records('t', 0))[0]!.value!.equals(noise)).toBe(true);
    expect(producer.counters.splits).toBe(0);
  });

  it.each(CODECS)(
    'a reader that is moved while a batch is unpacked hands over nothing of it, with %s',
    async (codec) => {
      start({ compression: codec, batchBytes: 2_000_000 });
      await Promise.all(
        Array.from({ length: 30 }, (_, at) =>
          producer.sendAsync('t', { value: text(at, 50_000), partition: 0 }),
        ),
      );
      const open = await openPartitions(kafka.cluster, { topic: 't', partitions: [0], from: 'earliest' });
      const [reader] = open.readers;
      const seen: number[] = [];
      await until('the fetched bytes', () => reader!.bufferedBytes > 0);
      reader!.start({
        onRecord: (record, sequence) => {
          seen.push(record.offset);
          reader!.settle(sequence);
        },
        onPressure: () => undefined,
        onEnd: () => undefined,
        onError: (error) => {
          throw error;
        },
      });
      // Its turn comes now: it begins to unpack the batch.
      await new Promise((resolve) => setImmediate(resolve));
      const before = seen.length;
      reader!.seek(28);
      await until('the rest', () => seen.length === before + 2);
      expect(seen.slice(before)).toEqual([28, 29]);
      await until('the memory', () => reader!.retainedBytes === 0);
      open.close();
    },
  );

  it.each(['gzip', 'zstd'] as const)(
    'what is unpacked ahead comes in its turn, and an error in its own, with %s',
    async (codec) => {
      start({ compression: codec, batchBytes: 400_000 });
      const sent = Array.from({ length: 60 }, (_, at) => text(at, 50_000));
      for (let at = 0; at < sent.length; at += 6)
        await Promise.all(
          sent.slice(at, at + 6).map((value) => producer.sendAsync('t', { value, partition: 0 })),
        );
      const read = (maxBatchBytes?: number): Promise<{ seen: (string | null)[]; error?: Error }> =>
        new Promise((resolve, reject) => {
          const opening = openPartitions(kafka.cluster, {
            topic: 't',
            partitions: [0],
            from: 'earliest',
            to: 'latest',
            maxBatchBytes,
          });
          opening.then(({ readers: [reader], close }) => {
            const seen: (string | null)[] = [];
            reader!.start({
              onRecord: (record, sequence) => {
                seen.push(record.valueText);
                reader!.settle(sequence);
              },
              onPressure: () => undefined,
              onEnd: () => {
                close();
                resolve({ seen });
              },
              onError: (error) => {
                close();
                resolve({ seen, error });
              },
            });
          }, reject);
        });
      expect((await read()).seen).toEqual(sent);
      // The last batch, behind others that are in order, is too large for this reader.
      const large = Array.from({ length: 7 }, (_, at) => text(at, 55_000));
      await Promise.all(large.map((value) => producer.sendAsync('t', { value, partition: 0 })));
      const { seen, error } = await read(330_000);
      expect(seen).toEqual(sent);
      expect(error).toMatchObject({ name: 'CompressionError' });
      expect(error!.message).toContain('t-0 stopped at offset 60');
    },
  );
});
