import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { Transaction } from 'kafkajs';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { fault } from '../../../src/testing/broker/faults/fault.ts';

let box: BrokerBox;
let kafka: Kafka;

beforeAll(async () => {
  box = await createBroker({
    brokers: 3,
    topics: { input: 1, output: { partitions: 3, replicationFactor: 2 } },
  });
  kafka = new Kafka({
    brokers: box.bootstrap,
    clientId: 'kafkajs',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
});

afterAll(async () => {
  await box.close();
  expect(box.internalErrors).toEqual([]);
});

const messages = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({ key: `key-${at}`, value: `${name}-${at}` }));

const transactional = (transactionalId: string) =>
  kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });

/** What a reader of committed records finds in a topic, which must be as many as said; or of all records. */
async function read(topic: string, count: number, readUncommitted = false): Promise<string[]> {
  const consumer = kafka.consumer({
    groupId: `reader-${topic}-${count}-${Math.floor(box.clock.now() * 1000)}`,
    readUncommitted,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const found: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      found.push(message.value!.toString());
      if (found.length === count) resolve();
      return Promise.resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return found.sort();
}

describe('kafkajs 2.2.4 with transactions', () => {
  it('commits and aborts, and readers of committed records see the difference', async () => {
    const producer = transactional('first');
    await producer.connect();
    for (const [name, commits] of [
      ['kept', true],
      ['dropped', false],
      ['also', true],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'output', messages: messages(name, 30) });
      await (commits ? transaction.commit() : transaction.abort());
    }
    await producer.disconnect();
    const kept = [...messages('kept', 30), ...messages('also', 30)].map(({ value }) => value).sort();
    expect(await read('output', 60)).toEqual(kept);
    expect(await read('output', 90, true)).toEqual(
      [...kept, ...messages('dropped', 30).map(({ value }) => value)].sort(),
    );
    expect(box.transaction('first')).toMatchObject({ state: 'CompleteCommit', producerEpoch: 0 });
  });

  it('commits offsets with what was made of the records', async () => {
    const plain = kafka.producer();
    await plain.connect();
    await plain.send({ topic: 'input', messages: messages('in', 10) });
    await plain.disconnect();
    const producer = transactional('copier');
    await producer.connect();
    const copy = async (offset: number, end: (transaction: Transaction) => Promise<void>): Promise<void> => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'output', messages: messages(`copied-${offset}`, 2) });
      const topics = [{ topic: 'input', partitions: [{ partition: 0, offset: String(offset) }] }];
      await transaction.sendOffsets({ consumerGroupId: 'copiers', topics });
      await end(transaction);
    };
    await copy(4, (transaction) => transaction.commit());
    expect(box.committed('copiers', 'input', 0)).toMatchObject({ offset: 4 });
    await copy(9, (transaction) => transaction.abort());
    expect(box.committed('copiers', 'input', 0)).toMatchObject({ offset: 4 });
    await producer.disconnect();
  });

  it('fences a producer when another takes its id', async () => {
    const old = transactional('taken');
    await old.connect();
    const hanging = await old.transaction();
    await hanging.send({ topic: 'output', messages: messages('hanging', 3) });
    const young = transactional('taken');
    await young.connect();
    const transaction = await young.transaction();
    await transaction.send({ topic: 'output', messages: messages('young', 3) });
    await transaction.commit();
    await expect(hanging.commit()).rejects.toThrow(/epoch|fenced/i);
    const values = (await read('output', 65)).filter((value) => /^(hanging|young)/.test(value));
    expect(values).toEqual(messages('young', 3).map(({ value }) => value));
    await Promise.all([old.disconnect(), young.disconnect()]);
  });

  it('gets through stalled markers, lost answers and moved leaders', async () => {
    box.createTopic('rough', 1);
    const producer = transactional('rough');
    await producer.connect();
    const release = box.stallTransactions('rough');
    for (let round = 0; round < 6; round++) {
      if (round === 1) box.clock.setTimeout(release, 200);
      if (round === 2)
        box.fault({
          match: { api: 'AddPartitionsToTxn' },
          do: fault.applyThenError('CONCURRENT_TRANSACTIONS'),
        });
      if (round === 3)
        box.fault({
          match: { api: 'Produce', topic: 'rough' },
          do: fault.error('NOT_LEADER_OR_FOLLOWER'),
        });
      if (round === 4) box.moveLeader('rough', 0);
      if (round === 5) box.rehashCoordinators();
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'rough', messages: messages(`round-${round}`, 5) });
      await transaction.commit();
    }
    await producer.disconnect();
    expect(await read('rough', 30)).toHaveLength(30);
    expect(box.transaction('rough')).toMatchObject({ state: 'CompleteCommit' });
  });
});
