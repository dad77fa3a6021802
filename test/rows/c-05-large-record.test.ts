// Row C-05: a record larger than every limit. sarama skips one offset; here it is delivered.
import { afterAll, describe, expect, it } from '@jest/globals';
import type { FetcherOptions } from '../../src/core/consumer/options.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading } from './support/reading.ts';

const MIB = 1024 * 1024;

(brokers === undefined ? describe.skip : describe)(
  'C-05: a record larger than every limit is delivered',
  () => {
    const kafka = testKafka();
    const topic = uniqueName('c05');
    afterAll(async () => {
      await kafka.admin().deleteTopics([topic]);
      await kafka.close();
    });

    it('whatever the sizes of fetches, of what is read ahead and of the budget', async () => {
      await createTopic(kafka, topic, 2, { 'max.message.bytes': String(8 * MIB) });
      const producer = kafka.producer({
        maxRecordBytes: 8 * MIB,
        maxRequestBytes: 16 * MIB,
        bufferBytes: 64 * MIB,
      });
      const value = (n: number): Buffer => Buffer.alloc(n === 3 ? 5 * MIB : 100, n);
      for (const n of span(0, 6)) await producer.sendAsync(topic, { value: value(n), partition: 0 });
      for (const n of span(0, 6))
        await producer.sendAsync(topic, { value: Buffer.alloc(100, n), partition: 1 });
      await producer.close();
      const limits: FetcherOptions[] = [
        { partitionFetchBytes: 64 * 1024 },
        { partitionFetchBytes: 1, prefetchBytes: 1, budgetBytes: 1 },
        { partitionFetchBytes: MIB, prefetchBytes: MIB, budgetBytes: MIB },
      ];
      for (const options of limits) {
        const { seen, close } = await startReading(kafka, {
          topic,
          from: 'earliest',
          to: 'latest',
          ...options,
        });
        await until('the end', () => seen.every(({ ended }) => ended));
        expect(seen.map(({ offsets }) => offsets)).toEqual([span(0, 6), span(0, 6)]);
        expect(seen[0]!.values.map((text) => text!.length)).toEqual([100, 100, 100, 5 * MIB, 100, 100]);
        close();
      }
    });
  },
);
