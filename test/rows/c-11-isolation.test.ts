// Row C-11: what is committed, exactly; markers are passed and never delivered.
import { afterAll, describe, expect, it } from '@jest/globals';
import type { FetcherOptions } from '../../src/core/consumer/options.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, startReading } from './support/reading.ts';
import { Writer } from './support/transactions.ts';

(brokers === undefined ? describe.skip : describe)('C-11: isolation', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it('reads the committed set of interleaved producers, in answers of one batch and of all', async () => {
    const topic = await createTopic(kafka, uniqueName('c11'));
    topics.push(topic);
    const [one, two] = [new Writer(topic, uniqueName('c11-1')), new Writer(topic, uniqueName('c11-2'))];
    await Promise.all([one.connect(), two.connect()]);
    const committed: string[] = [];
    const all: string[] = [];
    let end = 0;
    for (let round = 0; round < 6; round += 1) {
      const a = await one.begin();
      const b = await two.begin();
      for (let part = 0; part < 3; part += 1) {
        for (const [writer, transaction, name] of [
          [one, a, `a${round}`],
          [two, b, `b${round}`],
        ] as const) {
          const values = [`${name}.${part}.0`, `${name}.${part}.1`];
          await writer.send(transaction, values);
          all.push(...values);
          end += 2;
          // The first aborts twice in a row, then once in three; the second every other time.
          if (!(name.startsWith('a') ? round % 3 < 2 : round % 2 === 1)) committed.push(...values);
        }
      }
      await (round % 3 < 2 ? a.abort() : a.commit());
      await (round % 2 === 1 ? b.abort() : b.commit());
      end += 2;
    }
    await Promise.all([one.close(), two.close()]);
    const sizes: FetcherOptions[] = [{}, { partitionFetchBytes: 1, prefetchBytes: 1, budgetBytes: 1 }];
    for (const options of sizes)
      for (const isolationLevel of ['read_committed', 'read_uncommitted'] as const) {
        const reading = { topic, from: 'earliest', isolationLevel, ...options } as const;
        const { seen, close } = await startReading(kafka, reading);
        const { reader, values, errors } = seen[0]!;
        await until('the end', () => reader.position === end || errors.length > 0);
        expect(errors).toEqual([]);
        expect(values).toEqual(isolationLevel === 'read_committed' ? committed : all);
        expect([reader.position, reader.highWatermark, reader.lag, reader.commitPoint().offset]).toEqual([
          end,
          end,
          0,
          end,
        ]);
        close();
      }
  });

  it('stops at an open transaction and goes on when it ends', async () => {
    const topic = await createTopic(kafka, uniqueName('c11-open'));
    topics.push(topic);
    const [one, two] = [new Writer(topic, uniqueName('c11-3')), new Writer(topic, uniqueName('c11-4'))];
    await Promise.all([one.connect(), two.connect()]);
    const open = await one.begin();
    const done = await two.begin();
    await two.send(done, ['before']);
    await one.send(open, ['open']);
    await two.send(done, ['behind']);
    await done.commit();
    const { seen, close } = await startReading(kafka, {
      topic,
      from: 'earliest',
      isolationLevel: 'read_committed',
    });
    await until('what is decided', () => seen[0]!.values.length === 1);
    expect([seen[0]!.reader.position, seen[0]!.reader.highWatermark]).toEqual([1, 1]);
    await open.abort();
    await until('the rest', () => seen[0]!.reader.position === 5);
    expect(seen[0]!.values).toEqual(['before', 'behind']);
    await Promise.all([one.close(), two.close()]);
    close();
  });
});
