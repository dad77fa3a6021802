// Kafka's own transactional tools against the box, with both transaction protocols. They need Java and the jars: KAFKA_LIB names their folder.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBroker } from '../../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../../src/testing/broker/broker-box.ts';
import { isOnPath, lines, runJava } from './command.ts';

const lib = process.env['KAFKA_LIB'] ?? '';
const suite = lib !== '' && isOnPath('java') ? describe : describe.skip;
const RECORDS = 1000;

suite.each([1, 2])("Kafka's transactional tools, transaction.version %i", (level) => {
  let box: BrokerBox;
  let server: string[];

  beforeAll(async () => {
    box = await createBroker({ brokers: 3, features: { 'transaction.version': level } });
    server = ['--bootstrap-server', box.bootstrap.join(',')];
    box.createTopic('input', 1);
    box.createTopic('output', 2);
  });

  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const readCommitted = async (topic: string, count: number): Promise<string[]> => {
    const args = ['--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'];
    const limits = ['--max-messages', String(count), '--timeout-ms', '20000'];
    const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
    return lines(await runJava(lib, consumer, [...server, ...args, ...limits]));
  };

  it('copy each record once, however often they abort', async () => {
    const values = Array.from({ length: RECORDS }, (_, at) => `value-${at}`);
    const producer = 'org.apache.kafka.tools.ConsoleProducer';
    await runJava(lib, producer, [...server, '--topic', 'input'], values.join('\n'));
    await runJava(lib, 'org.apache.kafka.tools.TransactionalMessageCopier', [
      ...['--broker-list', box.bootstrap.join(',')],
      ...['--input-topic', 'input', '--input-partition', '0', '--output-topic', 'output'],
      ...['--max-messages', String(RECORDS), '--consumer-group', 'copier'],
      ...['--transactional-id', 'copier', '--transaction-size', '50'],
      ...['--enable-random-aborts', '--use-group-metadata'],
    ]);
    const copied = await readCommitted('output', RECORDS);
    expect(copied.sort()).toEqual([...values].sort());
    const all = (await Promise.all([0, 1].map((partition) => box.records('output', partition)))).flat();
    expect(all.length).toBeGreaterThanOrEqual(RECORDS);
    expect(box.committed('copier', 'input', 0)?.offset).toBe(RECORDS);
    // Twenty transactions at least: with the second protocol each has an epoch of its own.
    const { producerEpoch } = box.transaction('copier')!;
    if (level === 2) expect(producerEpoch).toBeGreaterThanOrEqual(20);
    else expect(producerEpoch).toBe(0);
  });

  it('list and describe transactions', async () => {
    if (level === 1) return;
    const command = 'org.apache.kafka.tools.TransactionsCommand';
    const list = await runJava(lib, command, [...server, 'list']);
    expect(list).toMatch(/copier\s+\d\s+\d+\s+Complete(Commit|Abort)/);
    const described = await runJava(lib, command, [...server, 'describe', '--transactional-id', 'copier']);
    expect(described).toMatch(/copier\s+\d+\s+\d+\s+Complete/);
    const partition = box.partition('output', 0).highWatermark > 0 ? '0' : '1';
    const place = ['--topic', 'output', '--partition', partition];
    const producers = await runJava(lib, command, [...server, 'describe-producers', ...place]);
    expect(producers).toMatch(/ProducerId\s+ProducerEpoch\s+LatestCoordinatorEpoch/);
  });
});
