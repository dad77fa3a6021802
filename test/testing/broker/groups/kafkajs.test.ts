// kafkajs 2.2.4 in groups of the box: members that come and go, and its admin for groups.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin, Consumer } from 'kafkajs';
import { decodeAssignment } from '../../../../src/core/protocol/consumer-protocol.ts';
import { createBroker } from '../../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../../src/testing/broker/broker-box.ts';
import type { DumpedGroup } from '../../../../src/testing/broker/inspect.ts';

let box: BrokerBox;
let kafka: Kafka;
let admin: Admin;
let consumers: Consumer[];

beforeEach(async () => {
  box = await createBroker({ brokers: 2, topics: { lines: 4 } });
  kafka = new Kafka({
    brokers: box.bootstrap,
    clientId: 'kafkajs',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
  admin = kafka.admin();
  consumers = [];
  await admin.connect();
});

afterEach(async () => {
  for (const consumer of consumers) await consumer.disconnect();
  await admin.disconnect();
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

const seen = new Set<string>();

async function consume(groupId: string): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, heartbeatInterval: 50 });
  consumers.push(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic: 'lines', fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 20,
    eachMessage: ({ message }) => {
      seen.add(message.value!.toString());
      return Promise.resolve();
    },
  });
  return consumer;
}

/** How many partitions each member has, when the group is stable with so many members. */
const shared = (groupId: string, members: number): Promise<number[]> =>
  box
    .waitForGroup(groupId, (group) => group.state === 'Stable' && group.members.length === members)
    .then((group) => partitionsOf(group));

const partitionsOf = (group: DumpedGroup): number[] =>
  group.members.map(({ assignment }) =>
    decodeAssignment(assignment).assignedPartitions.reduce(
      (sum, { partitions }) => sum + partitions.length,
      0,
    ),
  );

async function produce(from: number, count: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, at) => ({
    partition: at % 4,
    value: `line ${from + at}`,
  }));
  await producer.send({ topic: 'lines', messages });
  await producer.disconnect();
}

const committed = (groupId: string, total: number): Promise<DumpedGroup> =>
  box.waitForGroup(groupId, ({ offsets }) => {
    return [...offsets.values()].reduce((sum, { offset }) => sum + Math.max(offset, 0), 0) === total;
  });

describe('kafkajs in groups', () => {
  it('shares partitions as members come and go, and reads all', async () => {
    const one = await consume('sharers');
    expect(await shared('sharers', 1)).toEqual([4]);
    await consume('sharers');
    expect(await shared('sharers', 2)).toEqual([2, 2]);
    await consume('sharers');
    expect((await shared('sharers', 3)).sort()).toEqual([1, 1, 2]);
    await produce(0, 40);
    await committed('sharers', 40);
    await one.disconnect();
    expect(await shared('sharers', 2)).toEqual([2, 2]);
    await produce(40, 40);
    await committed('sharers', 80);
    expect(seen.size).toBe(80);
  });

  it('describes, lists, resets and deletes groups', async () => {
    await produce(0, 40);
    const one = await consume('managed');
    await committed('managed', 40);
    const { groups } = await admin.describeGroups(['managed', 'none']);
    expect(groups).toMatchObject([
      {
        groupId: 'managed',
        state: 'Stable',
        protocol: 'RoundRobinAssigner',
        members: [{ clientId: 'kafkajs' }],
      },
      { groupId: 'none', state: 'Dead', errorCode: 0 },
    ]);
    expect((await admin.listGroups()).groups).toEqual([{ groupId: 'managed', protocolType: 'consumer' }]);
    await expect(admin.deleteGroups(['managed'])).rejects.toThrow('Error in DeleteGroups');
    await one.disconnect();
    await admin.setOffsets({
      groupId: 'managed',
      topic: 'lines',
      partitions: [{ partition: 0, offset: '3' }],
    });
    expect(box.committed('managed', 'lines', 0)?.offset).toBe(3);
    await admin.resetOffsets({ groupId: 'managed', topic: 'lines', earliest: true });
    const [fetched] = await admin.fetchOffsets({
      groupId: 'managed',
      topics: ['lines'],
      resolveOffsets: true,
    });
    expect(fetched!.partitions.map(({ offset }) => offset)).toEqual(['0', '0', '0', '0']);
    await admin.deleteGroups(['managed']);
    expect(box.group('managed')).toBeUndefined();
  });
});
