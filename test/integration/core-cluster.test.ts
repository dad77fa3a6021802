// The cluster and the admin against a real broker.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { metadataApi } from '../../src/core/protocol/messages/03-metadata.ts';
import type { BrokerError } from '../../src/errors.ts';
import { UsageError } from '../../src/errors.ts';
import { brokers, isKafka39, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { topicReady } from '../helpers/topic-ready.ts';
import { until } from '../helpers/until.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('a real broker', () => {
  const topic = uniqueName('core-cluster');
  let kafka: Kafka;

  beforeAll(() => {
    kafka = new Kafka({ brokers: brokers!, clientId: 'core-cluster-test' });
  });

  afterAll(async () => {
    await kafka.close();
  });

  it('is reached also through a list of mostly dead seeds', async () => {
    const other = new Kafka({ brokers: ['127.0.0.1:1', '127.0.0.1:2', ...brokers!] });
    expect(await other.cluster.anyNode()).toBeGreaterThanOrEqual(0);
    expect(await other.cluster.controller()).toBeGreaterThanOrEqual(0);
    await other.close();
  });

  it('answers on one connection for each use, in order', async () => {
    const { cluster } = kafka;
    const nodeId = await cluster.anyNode();
    const uses = ['control', 'produce', 'coordinator', 'join-0', 'fetch-0', 'fetch-1'] as const;
    const answers = await Promise.all(
      uses.flatMap((use) =>
        [1, 2, 3].map(() =>
          cluster.send(nodeId, metadataApi, { topics: [], allowAutoTopicCreation: false }, { use }),
        ),
      ),
    );
    expect(answers.every(({ brokers: rows }) => rows.length > 0)).toBe(true);
    const newest = isKafka39 ? 12 : metadataApi.maxVersion;
    expect(await cluster.negotiated(nodeId, metadataApi)).toBe(newest);
  });

  it('creates, describes, grows and lists a topic', async () => {
    const admin = kafka.admin();
    const configs = { 'retention.ms': '3600000' };
    const [created] = await admin.createTopics([
      { name: topic, partitions: 3, replicationFactor: 1, configs },
    ]);
    expect(created).toMatchObject({ name: topic, partitions: 3, replicationFactor: 1 });
    await topicReady(kafka, topic, 3);
    const [described] = await admin.describeTopics([topic]);
    expect(described!.id).toBe(created!.id);
    expect(described!.partitions.map(({ index, leader }) => [index, leader !== undefined])).toEqual(
      [0, 1, 2].map((index) => [index, true]),
    );
    await admin.createPartitions([{ topic, count: 4 }]);
    await topicReady(kafka, topic, 4);
    await kafka.cluster.refresh([topic]);
    expect((await admin.listTopics()).map(({ name }) => name)).toContain(topic);
    expect(await rejection(admin.createTopics([{ name: topic }]))).toMatchObject({
      errorName: 'TOPIC_ALREADY_EXISTS',
      topic,
    });
    const several = admin.createTopics([{ name: topic }, { name: 'not/a/name' }]);
    expect(
      (await rejection<AggregateError>(several)).errors.map((error: BrokerError) => error.errorName),
    ).toEqual(['TOPIC_ALREADY_EXISTS', 'INVALID_TOPIC_EXCEPTION']);
  });

  it('lists offsets of every kind, and deletes records', async () => {
    const admin = kafka.admin();
    for (const position of ['earliest', 'latest'] as const) {
      const offsets = await admin.listOffsets(topic, position);
      expect(offsets.map(({ partition, offset }) => [partition, offset])).toEqual(
        [0, 1, 2, 3].map((n) => [n, 0]),
      );
    }
    expect(
      (await admin.listOffsets(topic, { timestamp: 5 }, { partitions: [1] })).map(({ offset }) => offset),
    ).toEqual([-1]);
    expect(await admin.deleteRecords([{ topic, partition: 2, beforeOffset: 'latest' }])).toEqual([
      { topic, partition: 2, lowWatermark: 0 },
    ]);
    expect(await rejection(admin.deleteRecords([{ topic, partition: 2, beforeOffset: 77 }]))).toMatchObject({
      errorName: 'OFFSET_OUT_OF_RANGE',
    });
  });

  it('finds coordinators, and knows no group of that name', async () => {
    const admin = kafka.admin();
    const group = uniqueName('group');
    expect(await kafka.cluster.coordinator('group', group)).toBeGreaterThanOrEqual(0);
    expect(await kafka.cluster.coordinator('transaction', group)).toBeGreaterThanOrEqual(0);
    expect(await admin.fetchOffsets(group)).toEqual([]);
    expect((await admin.listGroups()).some(({ groupId }) => groupId === group)).toBe(false);
    expect(await rejection(admin.deleteGroups([group]))).toMatchObject({ errorName: 'GROUP_ID_NOT_FOUND' });
  });

  it('tells a topic that was created again from the one before', async () => {
    const admin = kafka.admin();
    const before = kafka.cluster.metadata.topic(topic)!;
    expect(kafka.cluster.metadata.topicById(before.id)?.name).toBe(topic);
    await admin.deleteTopics([topic]);
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
    await until('the new topic is known', async () => {
      await kafka.cluster.refresh([topic]);
      return (kafka.cluster.metadata.topic(topic)?.id ?? before.id) !== before.id;
    });
    expect(kafka.cluster.metadata.topicById(before.id)).toBeUndefined();
    await admin.deleteTopics([topic]);
    const error = await rejection(admin.deleteTopics([topic]));
    expect(error).toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false });
    await until('no broker knows it', async () => {
      await kafka.cluster.refresh([topic]);
      return (await admin.listTopics()).every(({ name }) => name !== topic);
    });
  });

  it('is no longer asked once the client is closed', async () => {
    const other = new Kafka({ brokers: brokers! });
    await other.admin().listTopics();
    await other.close();
    expect(await rejection(other.admin().listTopics())).toBeInstanceOf(UsageError);
  });
});
