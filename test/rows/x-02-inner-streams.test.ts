import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupOptions, Kafka } from '../../src/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';
import { WatchedClaims } from './support/watched-claims.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const PARTITIONS = 4;

onBroker('X-02: a stream for each claim', () => {
  let kafka: Kafka;
  const topic = uniqueName('x-02');
  const all = Array.from({ length: PARTITIONS }, (_, partition) => `${topic}-${partition}`);

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  async function joinAndLeave(options: GroupOptions): Promise<WatchedClaims> {
    const one = new WatchedClaims([topic], options);
    await until('one reads all', () => one.reads.length === PARTITIONS);
    const generation = [...one.open.values()][0]!.generation;
    const other = new WatchedClaims([topic], options);
    await until('they share', () => one.reads.length === 2 && other.reads.length === 2);
    expect([...one.reads, ...other.reads].sort()).toEqual(all);
    for (const claim of one.open.values()) expect(claim.generation).toBeGreaterThan(generation);
    await other.leave();
    await until('one reads all again', () => one.reads.length === PARTITIONS);
    expect([...other.opened, ...one.errors, ...other.errors]).toHaveLength(2);
    await one.leave();
    return one;
  }

  const epochs = (names: readonly string[]): string[] =>
    names.map((name) => name.slice(topic.length + 1)).sort();

  it('eager: every inner completes at the revoke, and what is assigned is a new one', async () => {
    const one = await joinAndLeave({ groupId: uniqueName('x-02-eager'), assignors: ['range'] });
    expect(epochs(one.completed.slice(0, 4))).toEqual(['0/1', '1/1', '2/1', '3/1']);
    expect(one.opened).toHaveLength(4 + 2 + 4);
    const partitions = one.opened.slice(-4).map((name) => name.split('/')[0]);
    expect(partitions.sort()).toEqual(all);
  });

  it('cooperative: only those that go complete; the others go on as they are', async () => {
    const one = await joinAndLeave({
      groupId: uniqueName('x-02-cooperative'),
      assignors: ['cooperative-sticky'],
    });
    expect(one.opened).toHaveLength(4 + 2);
    const gone = one.opened.slice(4).map((name) => name.split('/')[0]!);
    expect(epochs(one.opened.slice(4)).every((name) => name.endsWith('/2'))).toBe(true);
    // The last ones, when it left itself, come behind.
    expect(
      one.completed
        .slice(0, 2)
        .map((name) => name.split('/')[0]!)
        .sort(),
    ).toEqual([...gone].sort());
  });
});
