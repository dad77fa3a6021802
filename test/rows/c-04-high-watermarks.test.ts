// Row C-04: high watermarks and lag. In sarama they are fresh only while records come; here they always are.
import { afterAll, describe, expect, it } from '@jest/globals';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { createTopic, startReading, write } from './support/reading.ts';
import { Writer } from './support/transactions.ts';

(brokers === undefined ? describe.skip : describe)('C-04: high watermarks, fresh without records', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });
  const topicOf = async (partitions: number): Promise<string> => {
    topics.push(await createTopic(kafka, uniqueName('c04'), partitions));
    return topics.at(-1)!;
  };

  it('are known of all partitions, empty ones too, and lag is 0 at the end', async () => {
    const topic = await topicOf(3);
    await write(kafka, topic, 0, 7, 1);
    const { seen, highWatermarks, close } = await startReading(kafka, { topic, from: 'earliest' });
    const wanted = [
      [0, 0],
      [1, 7],
      [2, 0],
    ];
    await until(
      'the high watermarks',
      () => JSON.stringify([...highWatermarks()]) === JSON.stringify(wanted),
    );
    await until('the records', () => seen[1]!.offsets.length === 7);
    expect(seen.map(({ reader }) => reader.lag)).toEqual([0, 0, 0]);
    close();
  });

  it('grow with the log, however little is read ahead', async () => {
    const topic = await topicOf(1);
    await write(kafka, topic, 0, 5);
    const { seen, close } = await startReading(kafka, { topic, from: 'earliest', prefetchBytes: 1 });
    await until('the records', () => seen[0]!.offsets.length === 5);
    seen[0]!.onRecord = () => undefined;
    await write(kafka, topic, 5, 20);
    await until('all to be handed over', () => seen[0]!.offsets.length === 25);
    expect([seen[0]!.reader.highWatermark, seen[0]!.reader.lag]).toEqual([25, 0]);
    close();
  });

  it.each(['read_committed', 'read_uncommitted'] as const)(
    'lag is 0 behind the marker of a transaction, %s',
    async (isolationLevel) => {
      const topic = await topicOf(1);
      const writer = new Writer(topic, uniqueName('c04-tx'));
      await writer.connect();
      const { seen, close } = await startReading(kafka, { topic, from: 'earliest', isolationLevel });
      const committed = await writer.begin();
      await writer.send(committed, ['a', 'b', 'c']);
      await committed.commit();
      const { reader, offsets } = seen[0]!;
      await until('the end', () => reader.highWatermark === 4 && reader.lag === 0);
      expect([offsets, reader.position]).toEqual([[0, 1, 2], 4]);
      const aborted = await writer.begin();
      await writer.send(aborted, ['d', 'e']);
      await aborted.abort();
      await until('the end again', () => reader.highWatermark === 7 && reader.lag === 0);
      expect([reader.position, reader.commitPoint().offset]).toEqual([7, 7]);
      expect(offsets).toEqual(isolationLevel === 'read_committed' ? [0, 1, 2] : [0, 1, 2, 4, 5]);
      await writer.close();
      close();
    },
  );
});
