// Row C-02: where a partition is read from, and to.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenOptions } from '../../src/core/consumer/open-partitions.ts';
import { OffsetRangeError } from '../../src/errors.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, span, startReading, write } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('C-02: where a partition is read from, and to', () => {
  const kafka = testKafka();
  const topic = uniqueName('c02');
  const start = 1_700_000_000_000;

  beforeAll(async () => {
    await createTopic(kafka, topic);
    const producer = kafka.producer();
    for (const n of span(0, 10))
      await producer.sendAsync(topic, { value: `v${n}`, partition: 0, timestamp: start + 1000 * n });
    await producer.close();
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  async function read(from: OpenOptions['from'], to: OpenOptions['to'] = 'latest'): Promise<number[]> {
    const { seen, close } = await startReading(kafka, { topic, from, to });
    await until('the end', () => seen[0]!.ended || seen[0]!.errors.length > 0);
    expect(seen[0]!.errors).toEqual([]);
    close();
    return seen[0]!.offsets;
  }

  it('reads from the earliest, an offset, a time, to an end', async () => {
    expect(await read('earliest')).toEqual(span(0, 10));
    expect(await read(4)).toEqual(span(4, 6));
    expect(await read({ timestamp: start + 6_500 })).toEqual([7, 8, 9]);
    expect(await read({ timestamp: start + 99_000 })).toEqual([]);
    expect(await read('earliest', 3)).toEqual([0, 1, 2]);
    expect(await read(2, { timestamp: start + 5_000 })).toEqual([2, 3, 4]);
  });

  it('reads from what a group committed, from the earliest where it committed nothing', async () => {
    const groupId = uniqueName('c02-group');
    expect(await read({ committedBy: groupId })).toEqual(span(0, 10));
    await kafka.admin().setOffsets(groupId, [{ topic, partition: 0, offset: 7 }]);
    expect(await read({ committedBy: groupId })).toEqual([7, 8, 9]);
  });

  it('reads only later records from the latest, and from the offset that comes next', async () => {
    const name = await createTopic(kafka, uniqueName('c02-later'));
    await write(kafka, name, 0, 5);
    const latest = await startReading(kafka, { topic: name, from: 'latest' });
    const next = await startReading(kafka, { topic: name, from: 5 });
    await write(kafka, name, 5, 3);
    await until(
      'the later records',
      () => latest.seen[0]!.offsets.length + next.seen[0]!.offsets.length === 6,
    );
    expect([latest.seen[0]!.offsets, next.seen[0]!.offsets]).toEqual([span(5, 3), span(5, 3)]);
    expect(next.seen[0]!.errors).toEqual([]);
    latest.close();
    next.close();
    await kafka.admin().deleteTopics([name]);
  });

  it('fails one past the next offset, naming the range', async () => {
    const { seen, close } = await startReading(kafka, { topic, from: 11 });
    await until('the error', () => seen[0]!.errors.length > 0);
    expect(seen[0]!.errors[0]).toBeInstanceOf(OffsetRangeError);
    expect(seen[0]!.errors[0]).toMatchObject({ offset: 11, earliest: 0, latest: 10 });
    expect(seen[0]!.errors[0]!.message).toMatch(/Offset 11 of .*-0 is outside the log, which holds 0 to 9/);
    close();
  });

  it('refuses the same partition twice', async () => {
    const twice = startReading(kafka, { topic, from: 'earliest', partitions: [0, 0] });
    await expect(twice).rejects.toMatchObject({ code: 'USAGE', option: 'partitions' });
  });
});
