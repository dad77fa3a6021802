import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { json, sluice, text, type ConsumerRecord, type Kafka } from '../../src/index.ts';
import { settle, tap } from '../../src/operators/index.ts';
import { fill } from '../faults/support/marks.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { until } from '../helpers/until.ts';

const onBroker = brokers === undefined ? describe.skip : describe;
const PARTITIONS = 4;
const RECORDS = 400;

onBroker('X-01: two topics of four partitions in one stream', () => {
  let kafka: Kafka;
  const topics = [uniqueName('x-01-a'), uniqueName('x-01-b')] as const;

  beforeAll(async () => {
    kafka = testKafka();
    await kafka.admin().createTopics(topics.map((name) => ({ name, partitions: PARTITIONS })));
    for (const topic of topics) await fill(kafka, topic, RECORDS, PARTITIONS);
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics([...topics]);
    await kafka.close();
  });

  /** Each partition's offsets are 0, 1, 2, ... in the order in which they came. */
  function expectInOrder(records: readonly ConsumerRecord<unknown, unknown>[]): void {
    const offsets = new Map<string, number[]>();
    for (const { topic, partition, offset } of records) {
      const name = `${topic}-${partition}`;
      offsets.set(name, [...(offsets.get(name) ?? []), offset]);
    }
    expect(offsets.size).toBe(topics.length * PARTITIONS);
    const expected = Array.from({ length: RECORDS / PARTITIONS }, (_, offset) => offset);
    for (const found of offsets.values()) expect(found).toEqual(expected);
  }

  it('comes whole, in order by partition, with one codec for all topics', async () => {
    const records: ConsumerRecord<Buffer | null, string>[] = [];
    const reading = sluice(kafka)
      .fromGroup({ groupId: uniqueName('x-01'), topics, value: text() })
      .pipe(
        tap((record) => void records.push(record)),
        settle(),
      )
      .subscribe();
    await until('all is read', () => records.length === topics.length * RECORDS);
    reading.unsubscribe();
    expectInOrder(records);
    expect(records.every(({ value }) => /^\d{8}x+$/.test(value))).toBe(true);
  });

  it('and with a codec for each topic', async () => {
    const [a, b] = topics;
    const records: ConsumerRecord<unknown, unknown>[] = [];
    const reading = sluice(kafka)
      .fromGroup({
        groupId: uniqueName('x-01'),
        topics: { [a]: { value: text() }, [b]: {} },
      })
      .pipe(
        tap((record) => void records.push(record)),
        settle(),
      )
      .subscribe();
    await until('all is read', () => records.length === topics.length * RECORDS);
    reading.unsubscribe();
    expectInOrder(records);
    for (const { topic, value } of records)
      expect(topic === a ? typeof value : Buffer.isBuffer(value)).toBe(topic === a ? 'string' : true);
  });

  it('ends with the decode error of one topic, by that topic’s codec', async () => {
    const [a, b] = topics;
    const failure = await new Promise((resolve) => {
      sluice(kafka)
        .fromGroup({
          groupId: uniqueName('x-01'),
          topics: { [a]: { value: text() }, [b]: { value: json() } },
        })
        .pipe(settle())
        .subscribe({ error: resolve });
    });
    expect(failure).toMatchObject({ code: 'STAGE_FAILED', stage: 'decode', value: { topic: b } });
  });
});
