// Row C-08: the log moves on past the position.
import { afterAll, describe, expect, it } from '@jest/globals';
import type { OutOfRange } from '../../src/core/consumer/options.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, type Reading } from './support/reading.ts';

const AGES_MS = [900_000, 900_000, 900_000, 900_000, 900_000, 900_000, 60_000, 60_000, 0, 0];

(brokers === undefined ? describe.skip : describe)('C-08: a position out of range while running', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  /** Reads two of ten records, then the first five are deleted. */
  async function overrun(outOfRange: OutOfRange): Promise<Reading> {
    const topic = await createTopic(kafka, uniqueName('c08'));
    topics.push(topic);
    const producer = kafka.producer();
    const nowMs = Date.now();
    for (const ageMs of AGES_MS)
      await producer.sendAsync(topic, { value: 'x', partition: 0, timestamp: nowMs - ageMs });
    await producer.close();
    const first = await startReading(kafka, { topic, from: 'earliest', to: 2, outOfRange });
    await until('two records', () => first.seen[0]!.ended);
    first.close();
    await kafka.admin().deleteRecords([{ topic, partition: 0, beforeOffset: 5 }]);
    return startReading(kafka, { topic, from: 2, to: 10, outOfRange });
  }

  it('fails with the range that there is', async () => {
    const { seen, close } = await overrun('fail');
    await until('the error', () => seen[0]!.errors.length > 0);
    expect(seen[0]!.errors[0]).toMatchObject({
      errorName: 'OFFSET_OUT_OF_RANGE',
      offset: 2,
      earliest: 5,
      latest: 10,
    });
    expect(seen[0]!.offsets).toEqual([]);
    seen[0]!.reader.seek(5);
    await until('the rest after a seek', () => seen[0]!.ended);
    expect(seen[0]!.offsets).toEqual(span(5, 5));
    close();
  });

  it.each<[string, OutOfRange, number[]]>([
    ['the earliest', 'earliest', span(5, 5)],
    ['the latest', 'latest', []],
    ['a duration', { byMs: 600_000 }, span(6, 4)],
    ['a duration that nothing is young enough for', { byMs: 0 }, []],
  ])('goes on at %s by policy', async (_, policy, offsets) => {
    const { seen, close } = await overrun(policy);
    await until('the end', () => seen[0]!.ended);
    expect([seen[0]!.errors, seen[0]!.offsets]).toEqual([[], offsets]);
    close();
  });
});
