// Row C-07: who is slow waits alone. The rates are compared on the box in virtual time, where nothing else takes any.
import { afterAll, describe, expect, it } from '@jest/globals';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, write } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('C-07: one slow reader never slows the others', () => {
  const kafka = testKafka();
  const topic = uniqueName('c07');
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('the others read all there is while one is blocked, which then goes on without a gap or a double', async () => {
    const count = 5_000;
    await createTopic(kafka, topic, 4);
    for (const partition of span(0, 4)) await write(kafka, topic, 0, count, partition, 500);
    const credit = { records: 500 };
    const options = { topic, from: 'earliest', to: 'latest', credit, budgetBytes: 4_000_000 } as const;
    const { seen, close } = await startReading(kafka, options);
    const blocked: number[] = [];
    const [slow, ...others] = seen;
    slow!.onRecord = (sequence) => blocked.push(sequence);
    await until('the others to be at the end', () => others.every(({ ended }) => ended));
    for (const { offsets } of others) expect(offsets).toEqual(span(0, count));
    expect(slow!.offsets).toEqual(span(0, 500));
    slow!.onRecord = (sequence) => slow!.reader.settle(sequence);
    for (const sequence of blocked) slow!.reader.settle(sequence);
    await until('the slow one to be at the end', () => slow!.ended);
    expect(slow!.offsets).toEqual(span(0, count));
    close();
  });
});
