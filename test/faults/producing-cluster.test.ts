// A real cluster of three that are brokers and controllers: each may die. Producers that are idle for longer than brokers remember them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransactionalProducer } from '../../src/core/index.ts';
import { Kafka, TransactionAbortableError } from '../../src/index.ts';
import { rejection } from '../helpers/rejection.ts';
import { short, uniqueName } from '../helpers/brokers.ts';
import { javaAnswers, kafkaLib } from '../helpers/kafka/jars.ts';
import { startRealKafka, type RealKafka } from '../helpers/kafka/real-kafka.ts';
import { until } from '../helpers/until.ts';
import { numbered, readAll, valuesOf } from '../rows/support/producing.ts';

const lib = javaAnswers() ? kafkaLib() : undefined;
const LIMIT_MS = 120_000;

(lib === undefined ? describe.skip : describe)('a real cluster of three that may die', () => {
  let cluster: RealKafka;
  let kafka: Kafka;

  beforeAll(async () => {
    cluster = await startRealKafka({
      lib: lib!,
      brokers: 3,
      controllers: 3,
      heapMb: 384,
      properties: {
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
        'producer.id.expiration.ms': '2000',
        'producer.id.expiration.check.interval.ms': '200',
        // More than a busy machine may stand still between two steps of a test.
        'transactional.id.expiration.ms': '5000',
        'transaction.remove.expired.transaction.cleanup.interval.ms': '200',
      },
    });
    kafka = new Kafka({ brokers: cluster.bootstrap });
    const { length } = cluster.bootstrap;
    await until(
      'three brokers',
      async () => (await kafka.admin().describeCluster()).brokers.length === length,
      LIMIT_MS,
    );
  }, 300_000);

  afterAll(async () => {
    await kafka.close();
    await cluster.stop();
  });

  async function newTopic(name: string, partitions = 1): Promise<string> {
    const topic = uniqueName(name);
    await kafka.admin().createTopics([{ name: topic, partitions, replicationFactor: 3 }]);
    return topic;
  }

  /** The producer ids that a partition remembers. */
  async function remembered(topic: string): Promise<number[]> {
    const [found] = await kafka.admin().describeProducers([{ topic, partition: 0 }]);
    return found!.activeProducers.map(({ producerId }) => producerId);
  }

  it('P-14: an idempotent producer that the broker has forgotten goes on: nothing is lost, doubled or out of order', async () => {
    const topic = await newTopic('forgotten');
    const producer = kafka.producer({ batchRecords: 4 });
    const sendAll = (values: readonly string[]): Promise<unknown> =>
      Promise.all(values.map((value) => producer.sendAsync(topic, { value })));
    await sendAll(numbered(40));
    await until('it is forgotten', async () => (await remembered(topic)).length === 0, LIMIT_MS);
    await sendAll(numbered(40, 'later'));
    expect(await valuesOf(kafka, topic)).toEqual([...numbered(40), ...numbered(40, 'later')]);
    await producer.close();
  });

  it('P-15: of a transactional id that has expired, an abort or takeOver() makes a new one', async () => {
    const topic = await newTopic('expired');
    const ids = [uniqueName('expired'), uniqueName('expired')];
    const producers = ids.map((transactionalId) => kafka.producer({ transactionalId }));
    const send = (producer: TransactionalProducer, value: string): Promise<unknown> =>
      producer.transaction((tx) => tx.sendAsync(topic, { value }));
    for (const producer of producers) {
      await producer.init();
      await send(producer, 'before');
    }
    const listed = async (): Promise<boolean> =>
      (await kafka.admin().listTransactions()).some(({ transactionalId }) => ids.includes(transactionalId));
    await until('they have expired', async () => !(await listed()), LIMIT_MS);
    // As with Java's client, a batch that is refused for its producer id is the end, and offsets are not.
    const [writing, committing] = [producers[0]!, producers[1]!];
    expect(await rejection(send(writing, 'lost'))).toMatchObject({
      errorName: 'INVALID_PRODUCER_ID_MAPPING',
    });
    expect(writing.status).toBe('fatal-error');
    await writing.takeOver();
    committing.begin();
    const offsets = [{ topic, partition: 0, offset: 1 }];
    expect(
      await rejection(committing.sendOffsets(offsets, { groupId: uniqueName('expired') })),
    ).toMatchObject({ errorName: 'INVALID_PRODUCER_ID_MAPPING' });
    expect(committing.status).toBe('abortable-error');
    await committing.abort();
    for (const producer of producers) {
      await send(producer, 'after');
      await producer.close();
    }
    await until('the markers', async () => (await readAll(kafka, topic, 'read_committed')).length >= 4);
    const committed = await readAll(kafka, topic, 'read_committed');
    expect(committed.map(({ value }) => value)).toEqual(['before', 'before', 'after', 'after']);
  });

  /** A name that this node coordinates. */
  async function nameAt(kind: 'group' | 'transaction', node: number): Promise<string> {
    for (;;) {
      const name = uniqueName(kind);
      if ((await kafka.cluster.coordinator(kind, name)) === node) return name;
    }
  }

  it.each(short ? [2] : [1, 2, 3])(
    'K-04: broker %i dies with both coordinators: the open transaction commits, and a topic can be made',
    async (node) => {
      const topic = await newTopic('coordinated', 3);
      const [transactionalId, groupId] = [await nameAt('transaction', node), await nameAt('group', node)];
      const admin = kafka.admin();
      const producer = kafka.producer({ transactionalId });
      await producer.init();
      const write = async (): Promise<void> => {
        producer.begin();
        for (const partition of [0, 1, 2])
          await producer.sendAsync(topic, { value: `${node}`, partition }).catch(() => undefined);
      };
      await write();
      await cluster.restart(node - 1, async () => {
        for (;;) {
          try {
            await producer.sendOffsets([{ topic, partition: 0, offset: 1 }], { groupId });
            await producer.commit();
            break;
          } catch (error) {
            if (!(error instanceof TransactionAbortableError)) throw error;
            await producer.abort();
            await write();
          }
        }
        await admin.setOffsets(groupId, [{ topic, partition: 1, offset: 1 }]);
        await newTopic(`while-${node}-is-down`);
      });
      const isThere = async (): Promise<boolean> => (await admin.describeCluster()).brokers.length === 3;
      await until('three brokers', isThere, LIMIT_MS);
      await until('the markers', async () => (await readAll(kafka, topic, 'read_committed')).length >= 3);
      const log = await readAll(kafka, topic, 'read_committed');
      expect(log.map(({ partition }) => partition)).toEqual([0, 1, 2]);
      expect((await admin.fetchOffsets(groupId)).map(({ offset }) => offset)).toEqual([1, 1]);
      await producer.close();
    },
  );
});
