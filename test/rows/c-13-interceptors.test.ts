// Row C-13: interceptors. In sarama a record is shown twice when a timeout falls on it; here once.
import { afterAll, describe, expect, it } from '@jest/globals';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, write } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('C-13: interceptors see each record exactly once', () => {
  const kafka = testKafka();
  const topic = uniqueName('c13');
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('before it is handed over, through stalls, pauses and their own errors', async () => {
    await createTopic(kafka, topic);
    await write(kafka, topic, 0, 1000);
    const shown: number[] = [];
    let errors = 0;
    const interceptor = {
      onRecord: ({ offset }: { readonly offset: number }) => {
        shown.push(offset);
        if (offset % 100 === 7) throw new Error('an interceptor that fails');
      },
      onError: () => {
        errors += 1;
      },
    };
    const { seen, pause, resume, close } = await startReading(kafka, {
      topic,
      from: 'earliest',
      to: 'latest',
      credit: { records: 20 },
      interceptors: [interceptor],
    });
    const waiting: number[] = [];
    let before = true;
    seen[0]!.onRecord = (sequence, { offset }) => {
      before &&= shown.at(-1) === offset;
      waiting.push(sequence);
    };
    while (!seen[0]!.ended) {
      await until('records', () => waiting.length > 0 || seen[0]!.ended);
      pause();
      for (const sequence of waiting.splice(0)) seen[0]!.reader.settle(sequence);
      resume();
    }
    expect(shown).toEqual(span(0, 1000));
    expect(seen[0]!.offsets).toEqual(span(0, 1000));
    expect([before, errors]).toEqual([true, 10]);
    close();
  });
});
