// Rows P-20 to P-24: which partition a record goes to.
import { afterAll, describe, expect, it } from '@jest/globals';
import type { ProducerOptions } from '../../src/core/producer/options.ts';
import { partitionerByName, type PartitionerName } from '../../src/core/producer/partitioner.ts';
import { Kafka, UsageError } from '../../src/index.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import { VirtualClock } from '../../src/testing/simulation/virtual-clock.ts';
import { seededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { lib, route } from '../helpers/interop/java-side.ts';
import { hasKcat } from '../helpers/interop/kcat-side.ts';
import { rejection } from '../helpers/rejection.ts';
import { run } from '../testing/broker/command.ts';
import { readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

describe('P-20: all partitions or the writable ones', () => {
  it.each<[string, ProducerOptions['partitioner']]>([
    ['sticky', 'murmur2'],
    ['random', 'random'],
    ['round-robin', 'round-robin'],
    ['custom', { choose: (_key, writable) => writable[writable.length - 1]! }],
  ])(
    'a key goes to its partition without a leader and waits; without one, %s never does',
    async (_, partitioner) => {
      const clock = new VirtualClock();
      const box = await createBroker({ clock, random: seededRandom(1), listen: 'memory', topics: { t: 4 } });
      box.leaderless('t', 3);
      const kafka = new Kafka(
        { brokers: box.bootstrap },
        { clock, random: seededRandom(2), transport: box.transport },
      );
      const hash = kafka.producer({ partitioner: (key) => (key === null ? undefined : 3) });
      const spread = kafka.producer({ partitioner, lingerMs: 5 });
      const bound = hash.sendAsync('t', { key: 'k', value: 'waits' });
      let isDone = false;
      void bound.then(() => (isDone = true));
      const sent = Array.from({ length: 200 }, (_one, at) =>
        spread.sendAsync('t', { value: `${at}`.padEnd(1000) }),
      );
      const places = await clock.run(Promise.all(sent));
      expect(places.every(({ partition }) => partition !== 3)).toBe(true);
      expect(isDone).toBe(false);
      box.moveLeader('t', 3, 0);
      expect(await clock.run(bound)).toMatchObject({ partition: 3 });
      await clock.run(Promise.all([hash.close(), spread.close(), kafka.close(), box.close()]));
    },
  );
});

(brokers === undefined ? describe.skip : describe)('partitioners on a broker', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  const newTopic = async (partitions: number): Promise<string> => {
    const topic = await createTopic(kafka, uniqueName('p21'), partitions);
    topics.push(topic);
    return topic;
  };
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('P-21: round-robin rotates exactly', async () => {
    const topic = await newTopic(4);
    const producer = kafka.producer({ partitioner: 'round-robin' });
    await producer.sendAsync(topic, { value: 'first' });
    const places = await Promise.all(
      Array.from({ length: 40 }, (_, at) => producer.sendAsync(topic, { key: `k${at % 3}`, value: `${at}` })),
    );
    expect(places.map(({ partition }) => partition)).toEqual(places.map((_, at) => (at + 1) % 4));
    await producer.close();
  });

  it('P-21: random is even within 5 %', async () => {
    const topic = await newTopic(4);
    const producer = kafka.producer({ partitioner: 'random' });
    const counts = [0, 0, 0, 0];
    const receipt = {
      onAcked: (partition: number) => void (counts[partition]! += 1),
      onFailed: () => undefined,
    };
    for (let at = 0; at < 40_000; at += 1) producer.send(topic, { value: 'x' }, receipt);
    await producer.close();
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('P-21: manual takes what the record says, and nothing else', async () => {
    const topic = await newTopic(4);
    const producer = kafka.producer({ partitioner: 'manual', metadataTimeoutMs: 300 });
    for (const partition of [2, 0, 3])
      expect(await producer.sendAsync(topic, { value: 'x', partition })).toMatchObject({ partition });
    expect(await rejection(producer.sendAsync(topic, { value: 'x' }))).toBeInstanceOf(UsageError);
    expect(await rejection(producer.sendAsync(topic, { value: 'x', partition: 99 }))).toMatchObject({
      errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
      partition: 99,
    });
    await producer.close();
  });

  it("P-23: a partitioner of the user's own, by function and by object", async () => {
    const topic = await newTopic(3);
    const byFunction = kafka.producer({
      partitioner: (key, count) => (key === null ? undefined : key.length % count),
    });
    expect(await byFunction.sendAsync(topic, { key: 'four', value: 'x' })).toMatchObject({ partition: 1 });
    const byObject = kafka.producer({
      partitioner: { choose: (key, writable) => writable[String(key).length % writable.length]! },
    });
    expect(await byObject.sendAsync(topic, { key: 'fives', value: 'x' })).toMatchObject({ partition: 2 });
    const wrong = kafka.producer({ partitioner: () => 99 });
    expect(await rejection(wrong.sendAsync(topic, { value: 'x' }))).toBeInstanceOf(UsageError);
    await Promise.all([byFunction.close(), byObject.close(), wrong.close()]);
  });

  const keys = Array.from({ length: 1_000 }, (_, at) => `key-${at}${at % 7 === 0 ? '-ü键' : ''}`);
  const ours = (name: PartitionerName, count: number): number[] =>
    keys.map((key) => partitionerByName(name)!(key, count)!);

  (lib === undefined ? it.skip : it)('P-23: 1,000 keys go where the Java client sends them', async () => {
    for (const count of [3, 10, 12]) {
      const chosen = await route(
        brokers!.join(','),
        await newTopic(count),
        keys.map((key) => Buffer.from(key)),
      );
      expect(ours('murmur2', count)).toEqual(chosen);
    }
  });

  (hasKcat ? it : it.skip).each<[PartitionerName, string]>([
    ['crc32', 'consistent'],
    ['consistent-random', 'consistent_random'],
    ['murmur2', 'murmur2_random'],
    ['fnv1a', 'fnv1a_random'],
  ])("P-22, P-23: %s sends 1,000 keys where librdkafka's %s does", async (name, theirs) => {
    for (const count of [3, 10, 12]) {
      const topic = await newTopic(count);
      await run(
        'kcat',
        ['-P', '-b', brokers!.join(','), '-t', topic, '-K', '\t', '-X', `partitioner=${theirs}`],
        keys.map((key) => `${key}\t${key}\n`).join(''),
      );
      const where = new Map((await readAll(kafka, topic)).map(({ key, partition }) => [key, partition]));
      expect(ours(name, count)).toEqual(keys.map((key) => where.get(key)));
    }
  });
});

describe('P-24: vectors', () => {
  const rows: readonly (readonly [string, ...(readonly [PartitionerName, number, number])[]])[] = [
    ['', ['fnv1a', 0, 5], ['fnv1a-reference', 2, 3], ['crc32', 0, 0], ['murmur2', 0, 1]],
    ['a', ['fnv1a', 0, 6], ['fnv1a-reference', 2, 2], ['crc32', 0, 7], ['murmur2', 1, 4]],
    ['foobar', ['fnv1a', 0, 6], ['fnv1a-reference', 2, 2], ['crc32', 2, 9], ['murmur2', 0, 6]],
    ['21', ['fnv1a', 0, 2], ['fnv1a-reference', 2, 6], ['crc32', 1, 2], ['murmur2', 0, 0]],
    ['hello sarama kafka', ['fnv1a', 1, 6], ['fnv1a-reference', 1, 6], ['crc32', 1, 0], ['murmur2', 1, 4]],
    ['键', ['fnv1a', 2, 2], ['fnv1a-reference', 0, 6], ['crc32', 0, 6], ['murmur2', 0, 6]],
  ];
  it.each(rows)('of %j', (key, ...cells) => {
    for (const [name, of3, of10] of cells)
      for (const form of [key, Buffer.from(key)])
        expect([name, partitionerByName(name)!(form, 3), partitionerByName(name)!(form, 10)]).toEqual([
          name,
          of3,
          of10,
        ]);
  });

  it('leaves a record without a key to the producer; only consistent-random takes an empty key for none', () => {
    for (const name of ['fnv1a', 'fnv1a-reference', 'crc32', 'murmur2', 'consistent-random'] as const) {
      expect(partitionerByName(name)!(null, 10)).toBeUndefined();
      expect(partitionerByName(name)!('', 10) === undefined).toBe(name === 'consistent-random');
    }
  });
});
