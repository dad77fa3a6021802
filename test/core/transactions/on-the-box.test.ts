import { afterEach, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../../src/core/client.ts';
import type { TransactionalProducer } from '../../../src/core/transactions/transactional-producer.ts';
import { TransactionAbortableError, TransactionFatalError, UsageError } from '../../../src/errors.ts';
import { rejection } from '../../helpers/rejection.ts';
import { SimulatedCluster } from '../../topology/simulated-cluster.ts';

let cluster: SimulatedCluster;
afterEach(() => cluster.close());

async function start(version: 1 | 2, options = {}): Promise<void> {
  cluster = await SimulatedCluster.start(
    { out: 3, other: 1 },
    { features: { 'transaction.version': version }, ...options },
  );
}

const run = <T>(promise: Promise<T>): Promise<T> => cluster.clock.run(promise);

async function producerOf(
  kafka: Kafka,
  transactionalId = 'tx',
  options = {},
): Promise<TransactionalProducer> {
  const producer = kafka.producer({ transactionalId, ...options });
  await run(producer.init());
  return producer;
}

async function committedValues(topic = 'out'): Promise<string[]> {
  const found: string[] = [];
  for (let partition = 0; partition < (topic === 'out' ? 3 : 1); partition++)
    for (const { value, transaction } of await committed(topic, partition))
      found.push(`${value}${transaction}`);
  return found;
}

async function committed(
  topic: string,
  partition: number,
): Promise<{ value: string; transaction: string }[]> {
  const readers = await run(readAll(topic, partition));
  return readers.map((value) => ({ value, transaction: '' }));
}

async function readAll(topic: string, partition: number): Promise<string[]> {
  const { openPartitions } = await import('../../../src/core/consumer/open-partitions.ts');
  const kafka = cluster.kafka('reader');
  const open = await openPartitions(kafka.cluster, {
    topic,
    partitions: [partition],
    from: 'earliest',
    to: 'latest',
    isolationLevel: 'read_committed',
  });
  const values: string[] = [];
  for (const reader of open.readers)
    await new Promise<void>((resolve, reject) => {
      reader.start({
        onRecord: (record, sequence) => {
          values.push(String(record.value));
          reader.settle(sequence);
        },
        onPressure: () => undefined,
        onEnd: resolve,
        onError: reject,
      });
    });
  open.close();
  return values;
}

describe.each([1, 2] as const)('a transactional producer, transactions v%i', (version) => {
  it('shows what is committed and not what is aborted', async () => {
    await start(version);
    const kafka = cluster.kafka();
    const producer = await producerOf(kafka);
    expect(producer.transactionVersion).toBe(version);
    for (let round = 0; round < 4; round++) {
      producer.begin();
      const sent = [0, 1, 2].map((partition) =>
        producer.sendAsync('out', { value: `${round}-${partition}`, partition }),
      );
      if (round % 2 === 0) {
        await run(producer.commit());
        await run(Promise.all(sent));
      } else {
        await run(Promise.all(sent));
        await run(producer.abort());
      }
      expect(producer.status).toBe('ready');
    }
    expect((await committedValues()).sort()).toEqual(['0-0', '0-1', '0-2', '2-0', '2-1', '2-2']);
    await run(producer.close());
  });

  it('fails what has no result when it is aborted, and goes on', async () => {
    await start(version);
    const producer = await producerOf(cluster.kafka());
    producer.begin();
    const lost = producer.sendAsync('out', { value: 'lost', partition: 0 });
    const failure = rejection(lost);
    await run(producer.abort());
    expect(await failure).toBeInstanceOf(TransactionAbortableError);
    await run(
      producer.transaction((tx) => {
        void tx.sendAsync('out', { value: 'kept', partition: 0 });
      }),
    );
    expect(await committedValues()).toEqual(['kept']);
    await run(producer.close());
  });

  it('asks the cluster nothing for a transaction with nothing in it', async () => {
    await start(version);
    const producer = await producerOf(cluster.kafka());
    const before = cluster.box.requests().length;
    for (let round = 0; round < 3; round++) {
      producer.begin();
      await (round === 1 ? producer.abort() : producer.commit());
    }
    expect(cluster.box.requests().length).toBe(before);
    await run(producer.close());
  });

  it('moves the offsets of a group with its commit only', async () => {
    await start(version);
    const producer = await producerOf(cluster.kafka());
    const offsets = [{ topic: 'other', partition: 0, offset: 7 }];
    producer.begin();
    await run(producer.sendOffsets(offsets, { groupId: 'readers' }));
    expect(cluster.committed('readers', 'other')).toBeUndefined();
    await run(producer.abort());
    expect(cluster.committed('readers', 'other')).toBeUndefined();
    producer.begin();
    await run(producer.sendOffsets(offsets, { groupId: 'readers' }));
    await run(producer.commit());
    await cluster.until(() => cluster.committed('readers', 'other') === 7);
    await run(producer.close());
  });

  it('is shut out by a second instance', async () => {
    await start(version);
    const first = await producerOf(cluster.kafka('first'));
    first.begin();
    await run(first.sendAsync('out', { value: 'of the first', partition: 0 }));
    const second = await producerOf(cluster.kafka('second'));
    await run(
      second.transaction(async (tx) => {
        await tx.sendAsync('out', { value: 'of the second', partition: 0 });
      }),
    );
    expect(await rejection(run(first.commit()))).toBeInstanceOf(TransactionFatalError);
    expect(first.status).toBe('fatal-error');
    expect(() => first.begin()).toThrow(TransactionFatalError);
    expect(() => first.send('out', { value: 'x' }, { onAcked() {}, onFailed() {} })).toThrow(
      TransactionFatalError,
    );
    expect(await committedValues()).toEqual(['of the second']);
    await run(first.close());
    await run(second.close());
  });

  it('takes no record outside a transaction', async () => {
    await start(version);
    const producer = cluster.kafka().producer({ transactionalId: 'tx' });
    expect(() => producer.begin()).toThrow(UsageError);
    await run(producer.init());
    expect(() => producer.send('out', { value: 'x' }, { onAcked() {}, onFailed() {} })).toThrow(UsageError);
    expect(await rejection(producer.commit())).toBeInstanceOf(UsageError);
    await run(producer.close());
  });
});
