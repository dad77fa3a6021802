// Row C-01: topics and partitions.
import { afterAll, describe, expect, it } from '@jest/globals';
import { listPartitions, listTopics } from '../../src/core/consumer/listing.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { createTopic, span, startReading } from './support/reading.ts';

(brokers === undefined ? describe.skip : describe)('C-01: topics and partitions', () => {
  const kafka = testKafka();
  afterAll(() => kafka.close());

  it('lists partitions sorted by id, and topics by name', async () => {
    const names = [uniqueName('c01-b'), uniqueName('c01-a')];
    await createTopic(kafka, names[0]!, 12);
    await createTopic(kafka, names[1]!, 1);
    expect(await listPartitions(kafka.cluster, names[0]!)).toEqual(span(0, 12));
    const listed = await listTopics(kafka.cluster);
    expect(listed).toEqual([...listed].sort());
    expect(listed).toEqual(expect.arrayContaining(names));
    expect(listed.some((name) => name.startsWith('__'))).toBe(false);
    const { readers, close } = await startReading(kafka, { topic: names[0]!, from: 'earliest' });
    expect(readers.map(({ partition }) => partition)).toEqual(span(0, 12));
    close();
    await kafka.admin().deleteTopics(names);
  });
});
