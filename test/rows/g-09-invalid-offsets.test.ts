import { afterEach, describe, expect, it } from '@jest/globals';
import { brokers } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { ClassicGroup } from './programs/classic-group.ts';

const onBroker = brokers === undefined ? describe.skip : describe;

onBroker('G-09: a committed offset that the log does not have any more', () => {
  let group: ClassicGroup;
  afterEach(() => group.close());

  async function withLostCommit(): Promise<void> {
    group = await ClassicGroup.create(1);
    await group.produce([10]);
    const before = group.join();
    await until('ten', () => before.taken.length === 10);
    await before.leave();
    expect(await group.committed(0)).toBe(10);
    await group.produce([60]);
    await group.kafka.admin().deleteRecords([{ topic: group.topic, partition: 0, beforeOffset: 50 }]);
  }

  it('committed 10, log start 50: with outOfRange earliest it goes on at 50', async () => {
    await withLostCommit();
    const member = group.join({ outOfRange: 'earliest' });
    await until('the rest', () => member.taken.length === 20);
    expect(member.taken[0]!.offset).toBe(50);
  });

  it('with latest it goes on with what comes', async () => {
    await withLostCommit();
    const member = group.join({ outOfRange: 'latest' });
    await group.balanced([member, 1]);
    await until('its position', () => member.consumer.claims[0]!.position === 70);
    await group.produce([1]);
    await until('the next one', () => member.taken.length === 1);
    expect(member.taken[0]!.offset).toBe(70);
  });

  it('by default it is an error with the valid range: no record is skipped silently', async () => {
    await withLostCommit();
    const member = group.join();
    await until('the error', () => member.readErrors.length > 0);
    expect(member.readErrors[0]!.message).toMatch(/10.*50|50.*70/);
    expect(member.taken).toEqual([]);
  });
});
