import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/core/client.ts';
import type { OffsetManager } from '../../src/core/offsets/offset-manager.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('O-02: marks go forward, resets go back, and the value is the next offset', () => {
  let kafka: Kafka;
  let offsets: OffsetManager;
  const topic = uniqueName('o-02');
  const groupId = uniqueName('o-02');

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: 1 }]);
    offsets = kafka.offsets({ groupId, autoCommit: false });
  });
  afterAll(async () => {
    await offsets.close();
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  const inLog = async (): Promise<unknown> => {
    const [found] = await kafka.admin().fetchOffsets(groupId);
    return [found?.offset, found?.metadata, found?.leaderEpoch];
  };

  it('mark 10, 5 is 10; reset 5 is 5; a mark of a record is one past it, with its leader epoch', async () => {
    const managed = await offsets.manage(topic, 0);
    managed.markNextOffset(10, 'ten');
    expect(managed.markNextOffset(5, 'five')).toBe(false);
    await offsets.commit();
    expect(await inLog()).toEqual([10, 'ten', -1]);

    expect(managed.resetOffset(11)).toBe(false);
    expect(managed.resetOffset(5, 'back')).toBe(true);
    await offsets.commit();
    expect(await inLog()).toEqual([5, 'back', -1]);

    offsets.markMessage({ topic, partition: 0, offset: 7, leaderEpoch: 0 });
    await offsets.commit();
    expect(await inLog()).toEqual([8, 'back', 0]);
  });
});
