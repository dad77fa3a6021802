// Rows P-29 and P-30: headers, times, interceptors.
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { ProducerRecord } from '../../src/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { startBox, type Boxed } from './support/box-producing.ts';
import { readAll } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('P-29: headers and timestamps', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('headers come back in their order, with duplicates, empty values and null', async () => {
    const topic = await createTopic(kafka, uniqueName('p29'));
    topics.push(topic);
    const producer = kafka.producer();
    const headers = [
      ['b', '1'],
      ['a', ''],
      ['b', null],
      ['', 'no name'],
      ['ü', 'é'],
    ] as const;
    const timestamp = 1_234_567_890_123;
    const sent = await producer.sendAsync(topic, { value: 'x', headers, timestamp });
    expect(sent.timestamp).toBe(timestamp);
    expect(await readAll(kafka, topic)).toMatchObject([{ headers, timestamp }]);
    const from = Date.now();
    const now = (await producer.sendAsync(topic, { value: 'y' })).timestamp;
    expect(now).toBeGreaterThanOrEqual(from - 1);
    expect(now).toBeLessThanOrEqual(Date.now() + 1);
    await producer.close();
  });

  it("with LogAppendTime the broker's time is reported", async () => {
    const topic = await createTopic(kafka, uniqueName('p29'), 1, {
      'message.timestamp.type': 'LogAppendTime',
    });
    topics.push(topic);
    const producer = kafka.producer();
    const from = Date.now();
    const { timestamp } = await producer.sendAsync(topic, { value: 'x', timestamp: 1_000 });
    expect(timestamp).toBeGreaterThanOrEqual(from - 1);
    const [record] = await readAll(kafka, topic);
    expect(record!.timestamp).toBe(timestamp);
    await producer.close();
  });
});

describe('P-30: producer interceptors', () => {
  let boxed: Boxed;
  afterEach(() => boxed.close());

  it('see each record once, also over three retries, and one that throws stops nothing', async () => {
    boxed = await startBox({ t: 1 });
    const seen: string[] = [];
    const thrown: unknown[] = [];
    const producer = boxed.kafka.producer({
      interceptors: [
        {
          onSend: (topic, record: ProducerRecord) => {
            seen.push(`${topic}:${String(record.value)}`);
            return { ...record, headers: [['trace', String(seen.length)]] };
          },
        },
        {
          onSend: () => {
            throw new Error('broken');
          },
          onError: (error) => void thrown.push(error),
        },
        { onSend: (_topic, record) => ({ ...record, value: `${String(record.value)}!` }) },
      ],
    });
    boxed.box.fault({ match: { api: 'Produce' }, do: fault.error('NOT_ENOUGH_REPLICAS'), count: 3 });
    await boxed.run(Promise.all(['a', 'b', 'c'].map((value) => producer.sendAsync('t', { value }))));
    expect(producer.counters.retries).toBe(3);
    expect(seen).toEqual(['t:a', 't:b', 't:c']);
    expect(thrown).toHaveLength(3);
    const records = await boxed.box.records('t', 0);
    expect(records.map(({ value, headers }) => [String(value), String(headers[0]![1])])).toEqual([
      ['a!', '1'],
      ['b!', '2'],
      ['c!', '3'],
    ]);
    await boxed.run(producer.close());
  });
});
