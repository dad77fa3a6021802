// Rows P-18 and P-19: a producer to wait for.
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  SendBatchError,
  syncProducer,
  text,
  uncheckedJson,
  UsageError,
  type Placement,
} from '../../src/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('a sync producer', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  const newTopic = async (partitions = 1): Promise<string> => {
    const topic = await createTopic(kafka, uniqueName('p18'), partitions);
    topics.push(topic);
    return topic;
  };
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('P-18: send answers with the place the record has in the log', async () => {
    const topic = await newTopic(3);
    const producer = syncProducer(kafka, { topic, key: text(), value: uncheckedJson<{ n: number }>() });
    const places: Placement[] = [];
    for (let n = 0; n < 20; n += 1) places.push(await producer.send({ key: `k${n}`, value: { n } }));
    const log = await readAll(kafka, topic);
    for (const [n, { topic: name, partition, offset, timestamp }] of places.entries()) {
      expect(name).toBe(topic);
      expect(log.find((one) => one.partition === partition && one.offset === offset)).toMatchObject({
        key: `k${n}`,
        value: JSON.stringify({ n }),
        timestamp,
      });
    }
    await producer.close();
  });

  it('P-18: what cannot be written rejects, and an option that makes no sense throws at construction', async () => {
    const topic = await newTopic();
    const producer = syncProducer(kafka, { topic });
    expect(await rejection(producer.send({ value: undefined as unknown as string }))).toBeInstanceOf(
      UsageError,
    );
    expect(await rejection(producer.send({ topic: '', value: 'x' }))).toBeInstanceOf(UsageError);
    await producer.close();
    expect(await rejection(producer.send({ value: 'late' }))).toBeInstanceOf(UsageError);
    expect(() => syncProducer(kafka, { whenFull: 'never' as 'wait' })).toThrow(UsageError);
    expect(() => syncProducer(kafka, { producer: { acks: 1 } })).toThrow(UsageError);
  });

  it('P-19: of 100 records the 7 that are too large are named, and the results of the rest kept', async () => {
    const topic = await newTopic(2);
    const producer = syncProducer(kafka, { topic, producer: { maxRecordBytes: 500 } });
    const large = [3, 14, 15, 42, 65, 92, 99];
    const messages = Array.from({ length: 100 }, (_, at) => ({
      value: large.includes(at) ? 'x'.repeat(1_000) : `v${at}`,
    }));
    const error = await rejection<SendBatchError<Placement>>(producer.sendBatch(messages));
    expect(error).toBeInstanceOf(SendBatchError);
    expect(error.failures.map(({ index }) => index)).toEqual(large);
    for (const { index, message, error: cause } of error.failures) {
      expect(message).toBe(messages[index]);
      expect(cause).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE' });
    }
    const log = await readAll(kafka, topic);
    expect(log).toHaveLength(93);
    for (const [at, result] of error.results.entries()) {
      if (large.includes(at)) expect(result).toBeUndefined();
      else
        expect(
          log.find(({ partition, offset }) => partition === result!.partition && offset === result!.offset)
            ?.value,
        ).toBe(`v${at}`);
    }
    expect(await producer.sendBatch([])).toEqual([]);
    await producer.close();
  });
});
