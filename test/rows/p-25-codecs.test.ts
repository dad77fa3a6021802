// Rows P-25 to P-28: codecs read and written by the other clients, levels, packages, and a bound of what a batch may become.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CODEC_NAMES } from '../../src/core/compression/codec.ts';
import type { RecordBatch } from '../../src/core/records/record-batch.ts';
import { asyncProducer, fromIterable, syncProducer, topology, type Kafka } from '../../src/index.ts';
import { prepare } from '../foreign/support/clients.ts';
import * as java from '../helpers/interop/java-side.ts';
import * as kcat from '../helpers/interop/kcat-side.ts';
import * as ours from '../helpers/interop/ours.ts';
import { PARTITIONS, type Sample } from '../helpers/interop/sample.ts';
import { realTargets, type Target } from '../helpers/interop/targets.ts';
import { lines, run } from '../testing/broker/command.ts';
import { BOMBS, sendBatch } from './support/bombs.ts';
import { openPartitions } from '../../src/core/consumer/open-partitions.ts';

const RECORDS = 10_000;
/** With a compiler to start. */
const LIMIT_MS = 180_000;
const START = Date.parse('2026-02-03T04:05:06.789Z');

/** The records of test/foreign/go/codecs. */
const all: readonly Sample[] = Array.from({ length: RECORDS }, (_, at) => ({
  partition: at % PARTITIONS,
  timestamp: START + at,
  key: Buffer.from(`key-${at % 17}`),
  value: Buffer.from(`value number ${at}, `.repeat(1 + (at % 9))),
  headers: [],
}));

function digest(samples: readonly Sample[]): string {
  const hash = createHash('sha256');
  for (let partition = 0; partition < PARTITIONS; partition++)
    for (const sample of samples)
      if (sample.partition === partition)
        hash.update(`${partition}\t${String(sample.key)}\t${String(sample.value)}\n`);
  return hash.digest('hex');
}

/** The batches of a topic, one for each that any record was read from. */
async function batchesOf(kafka: Kafka, topic: string): Promise<RecordBatch[]> {
  const batches = new Set<RecordBatch>();
  const { readers, close } = await openPartitions(kafka.cluster, { topic, from: 'earliest', to: 'latest' });
  await Promise.all(
    readers.map(
      (reader) =>
        new Promise<void>((resolve, reject) => {
          reader.start({
            onRecord: (record, sequence) => {
              batches.add(record.batch!);
              reader.settle(sequence);
            },
            onPressure: () => undefined,
            onEnd: resolve,
            onError: reject,
          });
        }),
    ),
  );
  close();
  return [...batches];
}

const real = realTargets[0];
const onKafka = real === undefined ? describe.skip : describe;

onKafka('on Kafka', () => {
  let target: Target;
  const topicsFor = (base: string): Promise<string[]> =>
    Promise.all(CODEC_NAMES.map((codec) => target.topic(`${base}-${codec}`)));

  beforeAll(async () => {
    target = await real![1]();
  });
  afterAll(() => target.close());

  describe('P-25: codecs', () => {
    let mine: string[];

    beforeAll(async () => {
      mine = await topicsFor('p25-ours');
      await Promise.all(mine.map((topic, at) => ours.write(target.kafka, topic, all, CODEC_NAMES[at]!)));
    }, LIMIT_MS);

    /** That all records are in each topic, in their order and with its codec. */
    async function expectRead(topics: readonly string[], wanted = digest(all)): Promise<void> {
      for (const [at, topic] of topics.entries()) {
        const { samples, codecs } = await ours.read(target.kafka, topic);
        expect({ topic, codecs, digest: digest(samples) }).toEqual({
          topic,
          codecs: [CODEC_NAMES[at]],
          digest: wanted,
        });
      }
    }

    (java.lib === undefined ? it.skip : it)(
      'Java and we read each other, 10,000 records of each',
      async () => {
        const theirs = await topicsFor('p25-java');
        await java.write(
          target.bootstrap,
          theirs.map((topic, at) => ({ topic, codec: CODEC_NAMES[at]!, samples: all })),
        );
        await expectRead(theirs);
        const found = await java.read(target.bootstrap, mine);
        for (const topic of mine) expect(digest(found.get(topic)!)).toBe(digest(all));
      },
      LIMIT_MS,
    );

    (kcat.hasKcat ? it : it.skip)(
      'librdkafka and we read each other, 10,000 records of each',
      async () => {
        const theirs = await topicsFor('p25-kcat');
        const one = all.map((sample) => ({ ...sample, partition: 0 }));
        for (const [at, topic] of theirs.entries())
          await kcat.writeLines(target.bootstrap, topic, one, CODEC_NAMES[at]!);
        await expectRead(theirs, digest(one));
        const shown = [...all].sort((a, b) => a.partition - b.partition).map(kcat.shown);
        for (const topic of mine) {
          const found = await kcat.read(target.bootstrap, topic);
          expect(found.join('\n') === shown.join('\n')).toBe(true);
        }
      },
      LIMIT_MS,
    );

    it.each(['sarama', 'franz'])(
      '%s and we read each other, 10,000 records of each',
      async (client) => {
        const program = prepare('codecs');
        if ('failed' in program) throw new Error(program.failed);
        // Without Go there is nobody to exchange anything with.
        if ('missing' in program) return;
        const act = async (what: string, topics: readonly string[]): Promise<string[]> => {
          const named = topics.map((topic, at) => `${CODEC_NAMES[at]}=${topic}`);
          return lines(await run(program.file, [what, client, target.bootstrap, String(RECORDS), ...named]));
        };
        const theirs = await topicsFor(`p25-${client}`);
        await act('write', theirs);
        await expectRead(theirs);
        expect(await act('read', mine)).toEqual(mine.map(() => digest(all)));
      },
      LIMIT_MS,
    );
  });

  describe('P-26: levels', () => {
    it.each(['gzip', 'zstd'] as const)(
      '%s at level 9 is no larger than at level 1, in every way to write',
      async (compression) => {
        const sizes: number[] = [];
        const some = all.slice(0, 3_000);
        for (const compressionLevel of [1, 9]) {
          const producer = { compression, compressionLevel, lingerMs: 5 };
          const topics = await Promise.all(
            ['sync', 'async', 'topic'].map((way) => target.topic(`p26-${way}`, 1)),
          );
          const [sync, async_, to] = topics as [string, string, string];
          const waiting = syncProducer(target.kafka, { topic: sync, producer });
          await waiting.sendBatch(some.map(({ key, value }) => ({ key, value })));
          await waiting.close();
          const going = asyncProducer(target.kafka, { topic: async_, producer });
          for (const { key, value } of some) if (!going.write({ key, value })) await going.ready();
          await going.close();
          const work = topology('levels', ({ toTopic }) =>
            fromIterable(some).pipe(toTopic(to, ({ key, value }) => ({ key, value }))),
          );
          await work.run(target.kafka, { signals: false, producer });
          for (const topic of topics) {
            const { samples, codecs } = await ours.read(target.kafka, topic);
            expect(samples.map(({ value }) => String(value))).toEqual(some.map(({ value }) => String(value)));
            expect(codecs).toEqual([compression]);
          }
          const batches = await batchesOf(target.kafka, sync);
          sizes.push(batches.reduce((sum, { wireBytes }) => sum + wireBytes, 0));
        }
        expect(sizes[1]).toBeLessThanOrEqual(sizes[0]!);
      },
    );

    it.each([
      ['gzip', 10, 'compressionLevel of gzip must be from 1 to 9; got 10'],
      ['gzip', 0, 'compressionLevel of gzip must be from 1 to 9; got 0'],
      ['zstd', 23, 'compressionLevel of zstd must be from -131072 to 22; got 23'],
      ['gzip', 1.5, 'compressionLevel must be a whole number; got 1.5'],
      ['snappy', '3' as unknown as number, 'compressionLevel must be a whole number; got "3"'],
    ] as const)(
      '%s at level %s is refused when the producer is made',
      (compression, compressionLevel, message) => {
        let error: unknown;
        try {
          target.kafka.producer({ compression, compressionLevel });
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toMatchObject({
          name: 'UsageError',
          code: 'USAGE',
          option: 'compressionLevel',
          message,
        });
      },
    );

    it('snappy and lz4 take no notice of one', async () => {
      for (const compression of ['snappy', 'lz4'] as const) {
        const topic = await target.topic(`p26-${compression}`, 1);
        const producer = target.kafka.producer({ compression, compressionLevel: 9 });
        await producer.sendAsync(topic, { value: 'x' });
        await producer.close();
        expect((await ours.read(target.kafka, topic)).codecs).toEqual([compression]);
      }
    });
  });

  describe('P-28: the bound of a batch', () => {
    it('bombs of 10 KB and more are refused, in flat memory', async () => {
      const warm = await target.topic('p28-warm', 1);
      for (const compression of CODEC_NAMES.slice(1)) {
        const producer = target.kafka.producer({ compression });
        await producer.sendAsync(warm, { value: Buffer.alloc(200_000, compression) });
        await producer.close();
      }
      const topics: string[] = [];
      for (const [codec, make] of BOMBS) {
        const topic = await target.topic(`p28-${codec}`, 1, { 'max.message.bytes': '4000000' });
        await sendBatch(target.kafka, topic, make());
        topics.push(topic);
      }
      const found = JSON.parse(
        await run(process.execPath, [
          ...['--import', 'tsx', path.join('test', 'rows', 'programs', 'read-bombs.ts')],
          ...[target.bootstrap, warm, ...topics],
        ]),
      ) as { errors: object[]; grownMiB: number };
      expect(found.errors).toEqual(
        BOMBS.map(([codec]) => ({
          name: 'CompressionError',
          code: 'UNSUPPORTED_COMPRESSION_TYPE',
          offset: 0,
          message: expect.stringMatching(
            new RegExp(`stopped at offset 0: .* A ${codec} batch decompresses.* past the \\d+ bytes allowed`),
          ),
        })),
      );
      expect(found.grownMiB).toBeLessThan(100);
    });

    it('is an option, and says where it was passed', async () => {
      const topic = await target.topic('p28-option', 1);
      const producer = target.kafka.producer({ compression: 'gzip' });
      await producer.sendAsync(topic, { value: Buffer.alloc(100_000) });
      await producer.close();
      const read = (maxBatchBytes: number): Promise<number> =>
        new Promise((resolve, reject) => {
          let seen = 0;
          const opening = openPartitions(target.kafka.cluster, {
            topic,
            from: 'earliest',
            to: 'latest',
            maxBatchBytes,
          });
          void opening.then(({ readers: [reader], close }) => {
            reader!.start({
              onRecord: (_record, sequence) => {
                seen++;
                reader!.settle(sequence);
              },
              onPressure: () => undefined,
              onEnd: () => {
                close();
                resolve(seen);
              },
              onError: (error) => {
                close();
                reject(error);
              },
            });
          }, reject);
        });
      expect(await read(101_000)).toBe(1);
      await expect(read(100_000)).rejects.toMatchObject({
        name: 'CompressionError',
        message: expect.stringContaining(`Reading ${topic}-0 stopped at offset 0`),
      });
    });
  });
});

describe('P-27: packages', () => {
  const manifest = (name: string): Record<string, Record<string, string> | undefined> =>
    JSON.parse(readFileSync(name, 'utf8')) as Record<string, Record<string, string> | undefined>;

  it('no codec builds anything when it is installed', () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = manifest('package.json');
    expect(dependencies).toHaveProperty('snappy');
    for (const name of ['lz4-napi', '@bokuweb/zstd-wasm']) {
      expect(peerDependencies).toHaveProperty([name]);
      expect(peerDependenciesMeta).toHaveProperty([name], { optional: true });
    }
    for (const name of ['snappy', 'lz4-napi', '@bokuweb/zstd-wasm']) {
      const { scripts = {}, gypfile } = manifest(path.join('node_modules', name, 'package.json'));
      expect(gypfile).toBeUndefined();
      for (const step of ['preinstall', 'install', 'postinstall']) expect(scripts).not.toHaveProperty(step);
    }
  });
});
