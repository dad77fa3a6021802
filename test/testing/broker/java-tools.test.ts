// Kafka's own tools against the broker in the box. They need Java and the jars: KAFKA_LIB names their folder.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';
import { isOnPath, lines, runJava } from './command.ts';

const lib = process.env['KAFKA_LIB'] ?? '';
const suite = lib !== '' && isOnPath('java') ? describe : describe.skip;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

suite("Kafka's Java tools", () => {
  let box: BrokerBox;
  let server: string[];

  beforeAll(async () => {
    box = await createBroker({ brokers: 3 });
    server = ['--bootstrap-server', box.bootstrap.join(',')];
  });

  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const topics = (...args: string[]) =>
    runJava(lib, 'org.apache.kafka.tools.TopicCommand', [...server, ...args]);
  const values = (count: number, name: string) => Array.from({ length: count }, (_, at) => `${name}-${at}`);

  it('create, list and delete topics', async () => {
    await topics('--create', '--topic', 'made', '--partitions', '4', '--replication-factor', '2');
    expect(lines(await topics('--list'))).toContain('made');
    expect(box.partition('made', 3).replicas).toHaveLength(2);
    expect(await topics('--describe', '--topic', 'made')).toMatch(/PartitionCount: 4\s+ReplicationFactor: 2/);
    await topics('--delete', '--topic', 'made');
    expect(box.topics()).not.toContain('made');
  });

  it.each(CODECS)('produce idempotently and consume in a group, with %s', async (codec) => {
    const topic = `java-${codec}`;
    box.createTopic(topic, 3);
    const sent = values(500, codec);
    await runJava(
      lib,
      'org.apache.kafka.tools.ConsoleProducer',
      [...server, '--topic', topic, '--compression-codec', codec],
      sent.join('\n'),
    );
    const records = (await Promise.all([0, 1, 2].map((partition) => box.records(topic, partition)))).flat();
    expect(records.map(({ value }) => value!.toString()).sort()).toEqual([...sent].sort());
    expect(records.every(({ producerId }) => producerId >= 0)).toBe(true);
    const args = [
      '--topic',
      topic,
      '--from-beginning',
      '--group',
      topic,
      '--max-messages',
      '500',
      '--timeout-ms',
      '30000',
    ];
    const read = await runJava(lib, 'org.apache.kafka.tools.consumer.ConsoleConsumer', [...server, ...args]);
    expect(lines(read).sort()).toEqual([...sent].sort());
    const committed = [0, 1, 2].reduce(
      (sum, partition) => sum + (box.committed(topic, topic, partition)?.offset ?? 0),
      0,
    );
    expect(committed).toBe(500);
    expect(box.group(topic)).toMatchObject({ state: 'Empty' });
  });

  it('lose and double nothing while leaders move and answers are lost', async () => {
    box.createTopic('moving', 1);
    const dropped = box.fault({
      match: { api: 'Produce', topic: 'moving', nth: 2 },
      do: fault.applyThenError('REQUEST_TIMED_OUT'),
    });
    const closed = box.fault({ match: { api: 'Produce', topic: 'moving', nth: 4 }, do: fault.close });
    box.fault({
      match: { api: 'Produce', topic: 'moving', nth: 6 },
      do: fault.error('NOT_LEADER_OR_FOLLOWER'),
      observe: () => void box.moveLeader('moving', 0),
    });
    const sent = values(2000, 'moving');
    const args = [
      '--topic',
      'moving',
      '--producer-property',
      'batch.size=500',
      '--producer-property',
      'linger.ms=5',
    ];
    await runJava(lib, 'org.apache.kafka.tools.ConsoleProducer', [...server, ...args], sent.join('\n'));
    expect([dropped.hits, closed.hits]).toEqual([1, 1]);
    const records = await box.records('moving', 0);
    expect(records.map(({ value }) => value!.toString())).toEqual(sent);
  });

  it('show offsets and groups', async () => {
    box.createTopic('shown', 2);
    await runJava(
      lib,
      'org.apache.kafka.tools.ConsoleProducer',
      [...server, '--topic', 'shown'],
      values(10, 'x').join('\n'),
    );
    const offsets = await runJava(lib, 'org.apache.kafka.tools.GetOffsetShell', [
      ...server,
      '--topic',
      'shown',
    ]);
    const total = lines(offsets).reduce((sum, line) => sum + Number(line.split(':')[2]), 0);
    expect(total).toBe(10);
    const reset = ['--group', 'shown', '--topic', 'shown', '--reset-offsets', '--to-earliest', '--execute'];
    await runJava(lib, 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [...server, ...reset]);
    expect(box.committed('shown', 'shown', 0)?.offset).toBe(0);
    const group = ['--group', 'shown', '--describe'];
    const described = await runJava(lib, 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...server,
      ...group,
    ]);
    expect(described).toMatch(/shown\s+shown\s+0\s+0\s+\d+/);
  });
});
