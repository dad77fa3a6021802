import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import type { Admin, Consumer } from 'kafkajs';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';

let box: BrokerBox;
let kafka: Kafka;
let admin: Admin;

beforeAll(async () => {
  box = await createBroker({ brokers: 3 });
  kafka = new Kafka({
    brokers: box.bootstrap,
    clientId: 'kafkajs',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
  admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'lines', numPartitions: 3, replicationFactor: 2 }] });
});

afterAll(async () => {
  await admin.disconnect();
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

const messages = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    key: `key-${at}`,
    value: `value-${from + at}`,
    headers: { at: String(at) },
  }));

describe('kafkajs 2.2.4', () => {
  it('produces plain, compressed and idempotent', async () => {
    const plain = kafka.producer();
    const idempotent = kafka.producer({ idempotent: true });
    for (const producer of [plain, idempotent]) await producer.connect();
    await plain.send({ topic: 'lines', messages: messages(0, 100) });
    await plain.send({ topic: 'lines', messages: messages(100, 100), compression: CompressionTypes.GZIP });
    await idempotent.send({
      topic: 'lines',
      messages: messages(200, 100),
      compression: CompressionTypes.GZIP,
    });
    const sent = await idempotent.send({ topic: 'lines', messages: messages(300, 100) });
    expect(sent.every(({ errorCode }) => errorCode === 0)).toBe(true);
    for (const producer of [plain, idempotent]) await producer.disconnect();
    const records = (await Promise.all([0, 1, 2].map((partition) => box.records('lines', partition)))).flat();
    expect(new Set(records.map(({ value }) => value!.toString())).size).toBe(400);
    expect(records.filter(({ producerId }) => producerId >= 0)).toHaveLength(200);
    expect(records.every(({ headers }) => headers[0]![0] === 'at')).toBe(true);
  });

  it('does not write twice when the answer to an idempotent batch is lost', async () => {
    const producer = kafka.producer({ idempotent: true, retry: { retries: 5 } });
    await producer.connect();
    await admin.createTopics({ topics: [{ topic: 'once', numPartitions: 1 }] });
    const lost = box.fault({
      match: { api: 'Produce', topic: 'once' },
      do: fault.applyThenError('REQUEST_TIMED_OUT'),
    });
    await producer.send({ topic: 'once', messages: messages(0, 5) });
    await producer.send({ topic: 'once', messages: messages(5, 5) });
    expect(lost.hits).toBe(1);
    const records = await box.records('once', 0);
    expect(records.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await producer.disconnect();
  });

  it('reads everything in a group of two, commits, and shows its commits', async () => {
    const seen = new Map<string, number>();
    const consumers: Consumer[] = [];
    const committed = box.waitForGroup('readers', ({ offsets }) => {
      const total = [0, 1, 2].reduce(
        (sum, partition) => sum + (offsets.get(`lines-${partition}`)?.offset ?? 0),
        0,
      );
      return total === 400 && box.group('readers')!.members.length === 2;
    });
    for (const name of ['one', 'two']) {
      const consumer = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 100, heartbeatInterval: 100 });
      consumers.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic: 'lines', fromBeginning: true });
      await consumer.run({
        autoCommitInterval: 50,
        eachMessage: async ({ message }) => {
          const value = message.value!.toString();
          seen.set(value, (seen.get(value) ?? 0) + 1);
          expect(name).toBeDefined();
        },
      });
    }
    const group = await committed;
    expect(seen.size).toBe(400);
    expect(group.members).toHaveLength(2);
    const [offsets] = await admin.fetchOffsets({ groupId: 'readers', topics: ['lines'] });
    const ends = await admin.fetchTopicOffsets('lines');
    expect(offsets!.partitions.map(({ partition, offset }) => [partition, offset]).sort()).toEqual(
      ends.map(({ partition, high }) => [partition, high]).sort(),
    );
    const described = await admin.describeGroups(['readers']);
    expect(described.groups[0]).toMatchObject({ errorCode: 0, protocolType: 'consumer' });
    for (const consumer of consumers) await consumer.disconnect();
    await box.waitForGroup('readers', 'Empty');
    await admin.deleteGroups(['readers']);
    expect(box.group('readers')).toBeUndefined();
  });

  it('manages topics', async () => {
    await admin.createTopics({ topics: [{ topic: 'short-lived', numPartitions: 2 }] });
    expect(await admin.listTopics()).toContain('short-lived');
    await admin.createPartitions({ topicPartitions: [{ topic: 'short-lived', count: 5 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['short-lived'] });
    expect(topics[0]!.partitions).toHaveLength(5);
    // kafkajs looks for the leader before it asks for the topic.
    await admin.fetchTopicOffsets('once');
    await admin.deleteTopicRecords({ topic: 'once', partitions: [{ partition: 0, offset: '4' }] });
    expect(box.partition('once', 0).logStartOffset).toBe(4);
    const byTime = await admin.fetchTopicOffsetsByTimestamp('once', 1);
    expect(byTime).toEqual([{ partition: 0, offset: '4' }]);
    await admin.deleteTopics({ topics: ['short-lived'] });
    expect(await admin.listTopics()).not.toContain('short-lived');
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'once', configNames: ['retention.bytes'] }],
    });
    expect(
      resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    ).toEqual([['retention.bytes', '-1']]);
    const cluster = await admin.describeCluster();
    expect(cluster.brokers).toHaveLength(3);
    expect(cluster.controller).toBe(0);
  });

  it('follows a leader and a coordinator that move', async () => {
    const producer = kafka.producer({ retry: { initialRetryTime: 20 } });
    await producer.connect();
    await producer.send({ topic: 'moving', messages: messages(0, 3) });
    box.moveLeader('moving', 0);
    await producer.send({ topic: 'moving', messages: messages(3, 3) });
    await box.stop(box.leaderOf('moving', 0));
    await producer.send({ topic: 'moving', messages: messages(6, 3) });
    expect(box.partition('moving', 0)).toMatchObject({ highWatermark: 9, leaderEpoch: 2 });
    for (const node of [0, 1, 2]) await box.start(node);
    await producer.disconnect();
  });
});
