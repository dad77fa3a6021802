import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from '../../src/core/client.ts';
import { Child } from '../faults/support/child.ts';
import { commitsOf } from '../faults/support/marks.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const MARKER = '../../rows/programs/marker.ts';

onBroker('O-03: what is marked is committed at an interval and at the close', () => {
  let kafka: Kafka;
  const topic = uniqueName('o-03');

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: 1 }]);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  async function marker(commits: number): Promise<{ groupId: string; child: Child }> {
    const groupId = uniqueName('o-03');
    const child = new Child(MARKER, { brokers, groupId, topic, commitIntervalMs: 100 });
    await child.until(() => child.events.filter((event) => 'committed' in event).length >= commits);
    return { groupId, child };
  }

  it('a process that is killed has committed at least what it had at its last interval', async () => {
    const { groupId, child } = await marker(5);
    await child.kill();
    const [committed] = await commitsOf(kafka, groupId, 1);
    expect(committed).toBeGreaterThanOrEqual(Number(child.latest('committed')));
    expect(committed).toBeGreaterThan(5);
  });

  it('a clean close commits the last mark', async () => {
    const { groupId, child } = await marker(1);
    expect(await child.kill('SIGTERM')).toBe(0);
    expect(await commitsOf(kafka, groupId, 1)).toEqual([child.latest('marked')]);
  });

  it('without it, only commit() commits: what is marked after it is dropped at the close', async () => {
    const groupId = uniqueName('o-03-by-hand');
    const offsets = kafka.offsets({ groupId, autoCommit: false, commitIntervalMs: 20 });
    const managed = await offsets.manage(topic, 0);
    managed.markNextOffset(3);
    await offsets.commit();
    managed.markNextOffset(9);
    await offsets.close();
    expect(await commitsOf(kafka, groupId, 1)).toEqual([3]);
  });
});
