import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/core/client.ts';
import { fill } from '../faults/support/marks.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('O-01: an offset manager knows what is committed, with its metadata', () => {
  let kafka: Kafka;
  const topic = uniqueName('o-01');

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: 2 }]);
    await fill(kafka, topic, 20, 2);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('a new group has the initial position and no metadata', async () => {
    const groupId = uniqueName('o-01-new');
    for (const [initial, nextOffset] of [
      ['earliest', 0],
      ['latest', 10],
      [{ timestamp: 0 }, 0],
      [4, 4],
    ] as const) {
      const offsets = kafka.offsets({ groupId, initial });
      const [zero, one] = await offsets.manageAll(topic, [0, 1]);
      for (const managed of [zero, one])
        expect(managed).toMatchObject({
          nextOffset,
          metadata: '',
          committedOffset: undefined,
          isDirty: false,
        });
      await offsets.close();
    }
    expect(await kafka.admin().fetchOffsets(groupId)).toEqual([]);
  });

  it('after a commit of 42 and "m", the next manager has 42 and "m", whatever its initial position', async () => {
    const groupId = uniqueName('o-01-committed');
    const before = kafka.offsets({ groupId });
    (await before.manage(topic, 0)).markNextOffset(42, 'm');
    await before.commit();
    await before.close();
    const offsets = kafka.offsets({ groupId, initial: 'latest' });
    const [zero, one] = await offsets.manageAll(topic, [0, 1]);
    expect(zero).toMatchObject({ nextOffset: 42, metadata: 'm', committedOffset: 42 });
    expect(one).toMatchObject({ nextOffset: 10, metadata: '', committedOffset: undefined });
    await offsets.close();
  });
});
