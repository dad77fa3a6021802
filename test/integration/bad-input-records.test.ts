// Records that do not fit: their schema, a number, the limits. Through the public surface, on a real broker and in the box.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom, toArray } from 'rxjs';
import { z } from 'zod';
import { BatchBuilder } from '../../src/core/records/batch-builder.ts';
import { HEADER } from '../../src/core/records/batch-header.ts';
import { crc32c } from '../../src/core/records/crc32c.ts';
import { produceApi } from '../../src/core/protocol/messages/00-produce.ts';
import {
  fromIterable,
  json,
  Kafka,
  map,
  settle,
  skip,
  sluice,
  tap,
  text,
  topology,
  type ConsumerRecord,
  type Topology,
} from '../../src/index.ts';
import { expectClear, failsWithin } from '../helpers/bad-input/failure.ts';
import { GROUP } from '../helpers/bad-input/ways.ts';
import { targets, type Target } from '../helpers/interop/targets.ts';

const LIMIT_MS = 40_000;
const Order = z.object({ id: z.string(), total: z.number().positive() });
const good = (id: string): string => JSON.stringify({ id, total: 5 });

// A real broker takes no shorter session.
const group = { ...GROUP, sessionTimeoutMs: 6_000 };

describe.each(targets)('records that do not fit, on %s', (_name, start) => {
  let target: Target;

  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.close());

  async function produce(topic: string, values: readonly (string | null)[]): Promise<void> {
    const { toTopic } = sluice(target.kafka);
    await lastValueFrom(
      fromIterable(values).pipe(
        toTopic(topic, (value) => ({ key: 'k', value, headers: { source: 'test' } })),
        settle(),
      ),
    );
  }

  async function read(topic: string): Promise<ConsumerRecord[]> {
    const { fromPartitions } = sluice(target.kafka);
    const records = fromPartitions({ topic, from: 'earliest', until: 'end' });
    return lastValueFrom(records.pipe(settle()).pipe(toArray()));
  }

  const committed = async (groupId: string): Promise<number[]> =>
    (await target.kafka.admin().fetchOffsets(groupId)).map(({ offset }) => offset);

  describe('a value that does not fit its schema', () => {
    const bad: readonly (readonly [string, string | null, string, RegExp])[] = [
      ['a wrong type', '{"id":"b","total":"five"}', 'SCHEMA', /does not fit its schema: total: /],
      ['a refused value', '{"id":"b","total":-5}', 'SCHEMA', /does not fit its schema: total: /],
      ['no JSON', '{"id":', 'SCHEMA', /the value of a record of topic '.*' is not JSON/],
      [
        'a tombstone',
        null,
        'USAGE',
        /the value of a record of topic '.*' is null; read it with nullable\(...\)/,
      ],
    ];

    it.each(bad)('%s: fail', async (_what, value, code, says) => {
      const topic = await target.topic('orders', 1);
      await produce(topic, [good('a'), value, good('c')]);
      const groupId = target.group('schema');
      const seen: string[] = [];
      const kafka = new Kafka({ brokers: target.bootstrap.split(',') });
      const work = topology('orders', ({ fromGroup }) =>
        fromGroup({ groupId, topics: [topic], value: json(Order), ...group }).pipe(
          tap((order) => void seen.push(order.value.id)),
        ),
      );
      const error = await failsWithin(LIMIT_MS, work.run(kafka, { signals: false }));
      expect(error).toMatchObject({ code: 'STAGE_FAILED', stage: 'decode' });
      expectClear(error, { code }, says, new RegExp(`${topic}-0 offset 1`));
      expect(error.message).not.toContain('five');
      expect(seen[0]).toBe('a');
      expect(await committed(groupId)).toEqual([1]);
      await kafka.close();
    });

    it('skip', async () => {
      const topic = await target.topic('orders', 1);
      await produce(topic, [good('a'), ...bad.map(([, value]) => value), good('c')]);
      const { fromPartitions } = sluice(target.kafka);
      const orders = fromPartitions({
        topic,
        value: json(Order),
        from: 'earliest',
        until: 'end',
        onDecodeError: skip,
      });
      const ids = orders.pipe(
        map((order) => order.value.id),
        settle(),
      );
      expect(await lastValueFrom(ids.pipe(toArray()))).toEqual(['a', 'c']);
    });

    it('deadLetter', async () => {
      const [topic, dead] = [await target.topic('orders', 1), await target.topic('dead', 1)];
      await produce(topic, [good('a'), ...bad.map(([, value]) => value), good('c')]);
      const groupId = target.group('schema');
      const seen: string[] = [];
      let done = (): void => undefined;
      const all = new Promise<void>((resolve) => (done = resolve));
      const work = topology('orders', ({ fromGroup, deadLetter }) =>
        fromGroup({
          groupId,
          topics: [topic],
          value: json(Order),
          onDecodeError: deadLetter(dead),
          ...group,
        }).pipe(
          tap((order) => {
            seen.push(order.value.id);
            if (order.value.id === 'c') done();
          }),
        ),
      );
      const running = work.start(target.kafka);
      await Promise.race([all, running.done]);
      expect(await running.drain()).toMatchObject({ recordsIn: 6, recordsOut: 4, unsettled: 0 });
      expect(seen).toEqual(['a', 'c']);
      expect(await committed(groupId)).toEqual([6]);
      const letters = await read(dead);
      expect(letters.map(({ value }) => value?.toString() ?? null)).toEqual(bad.map(([, value]) => value));
      for (const [at, { key, headers }] of letters.entries()) {
        expect(key!.toString()).toBe('k');
        expect(headers.text('source')).toBe('test');
        expect(headers.text('__streams.errors.topic')).toBe(topic);
        expect(headers.text('__streams.errors.offset')).toBe(String(at + 1));
        expect(headers.text('__streams.errors.message')).toMatch(bad[at]![3]);
      }
    });
  });

  it('a timestamp in nanoseconds is exact, and no error', async () => {
    const exact = 1_770_091_506_789_123_457n;
    const topic = await target.topic('nanoseconds', 1, {
      'message.timestamp.after.max.ms': '9223372036854775807',
    });
    await produceRaw(target, topic, exact);
    const raw = await read(topic);
    expect(raw.map(({ timestampBigInt }) => timestampBigInt)).toEqual([exact, exact + 1n]);
    expect(raw.map(({ timestamp }) => timestamp)).toEqual([Number(exact), Number(exact + 1n)]);
    const { fromPartitions } = sluice(target.kafka);
    const decoded = fromPartitions({ topic, value: text(), from: 'earliest', until: 'end' });
    const found = await lastValueFrom(decoded.pipe(settle()).pipe(toArray()));
    expect(found.map(({ value, timestampBigInt }) => [value, timestampBigInt])).toEqual([
      ['one', exact],
      ['two', exact + 1n],
    ]);
    // The nearest number may be later than the record: ask for one before it.
    const later = fromPartitions({ topic, from: { timestamp: Number(exact - 1_000n) }, until: 'end' });
    expect(await lastValueFrom(later.pipe(settle()).pipe(toArray()))).toHaveLength(2);
    // A sink keeps the time of what it writes: here the nearest number to it.
    const copy = await target.topic('copied', 1, { 'message.timestamp.after.max.ms': '9223372036854775807' });
    const work = topology('copy', (cluster) =>
      cluster
        .fromPartitions({ topic, value: text(), from: 'earliest', until: 'end' })
        .pipe(cluster.toTopic(copy, ({ value }) => ({ value }))),
    );
    await work.run(target.kafka, { signals: false });
    expect((await read(copy)).map(({ timestamp }) => timestamp)).toEqual([Number(exact), Number(exact + 1n)]);
  });

  describe('a record larger than the limits', () => {
    const value = 'x'.repeat(200_000);
    const sink = (topic: string): Topology =>
      topology('sink', ({ toTopic }) =>
        fromIterable([value]).pipe(toTopic(topic, (large) => ({ key: 'large', value: large }))),
      );

    it("the producer's: is not sent", async () => {
      const topic = await target.topic('large', 1);
      const error = await failsWithin(
        LIMIT_MS,
        sink(topic).run(target.kafka, { signals: false, producer: { maxRecordBytes: 100_000 } }),
      );
      expectClear(
        error,
        { code: 'BROKER_ERROR', errorName: 'MESSAGE_TOO_LARGE', topic },
        /2\d{5} bytes/,
        /maxRecordBytes/,
        /100000/,
      );
      expect(await read(topic)).toEqual([]);
    });

    it("the topic's: is refused by the broker", async () => {
      const topic = await target.topic('small', 1, { 'max.message.bytes': '50000' });
      const error = await failsWithin(LIMIT_MS, sink(topic).run(target.kafka, { signals: false }));
      expectClear(
        error,
        { code: 'BROKER_ERROR', errorName: 'MESSAGE_TOO_LARGE', topic, partition: 0 },
        new RegExp(topic),
        /max\.message\.bytes/,
      );
    });

    it("the consumer's: is handed over all the same", async () => {
      const topic = await target.topic('limits', 1);
      await produce(topic, ['before', value, 'after']);
      const found: number[] = [];
      const work = topology('small', ({ fromPartitions }) =>
        fromPartitions({
          topic,
          value: text(),
          from: 'earliest',
          until: 'end',
          budgetBytes: 10_000,
          credit: { bytes: 1_000 },
        }).pipe(
          map((record) => found.push(record.value.length)),
          settle(),
        ),
      );
      await work.run(target.kafka, { signals: false });
      expect(found).toEqual([6, value.length, 5]);
    });
  });

  describe('a record that cannot be written', () => {
    const cases: readonly (readonly [string, unknown, RegExp])[] = [
      ['undefined value', { key: 'k', value: undefined }, /the value is undefined; null is a tombstone/],
      ['no value', { key: 'k' }, /the value is undefined; null is a tombstone/],
      ['a number', { value: 5 }, /the value is a number and has no serializer; give a string, a Uint8Array/],
      [
        'an object',
        { value: {} },
        /the value is an object and has no serializer; give a string, a Uint8Array/,
      ],
      ['nothing at all', undefined, /the project function answers with a record or an array of records/],
      ['a key that is no bytes', { key: 5, value: 'v' }, /the key is a number and has no serializer/],
      [
        'a partition that is not there',
        { value: 'v', partition: 7 },
        /refused-.*-7: UNKNOWN_TOPIC_OR_PARTITION .*the topic has 1/,
      ],
      ['a negative partition', { value: 'v', partition: -1 }, /partition .* must be an index from 0, not -1/],
      ['half a partition', { value: 'v', partition: 1.5 }, /partition .* must be an index from 0, not 1\.5/],
      [
        'a timestamp that is no number',
        { value: 'v', timestamp: Number.NaN },
        /timestamp .* must be whole milliseconds since 1970, not NaN/,
      ],
      [
        'a negative timestamp',
        { value: 'v', timestamp: -5 },
        /timestamp .* must be whole milliseconds since 1970, not -5/,
      ],
      [
        'a header that is a number',
        { value: 'v', headers: { a: 5 } },
        /The value of header 'a' is bytes, text or null, not number/,
      ],
      [
        'headers that are none',
        { value: 'v', headers: 'a=1' },
        /headers of a record are an object or a list of \[name, value\] pairs, not string/,
      ],
    ];

    it.each(cases)('%s', async (_what, record, says) => {
      const topic = await target.topic('refused', 1);
      const work = topology('refused', ({ toTopic }) =>
        fromIterable([1]).pipe(toTopic(topic, () => record as { value: string })),
      );
      const producer = { metadataTimeoutMs: 2_000 };
      const error = await failsWithin(LIMIT_MS, work.run(target.kafka, { signals: false, producer }));
      expect(error).toMatchObject({ code: 'STAGE_FAILED', stage: `toTopic '${topic}'` });
      expect(error.message).toMatch(says);
      expect(await read(topic)).toEqual([]);
    });
  });
});

/** Two records with a time that no number holds, as Java's client would write them. */
async function produceRaw(target: Target, topic: string, timestamp: bigint): Promise<void> {
  const builder = new BatchBuilder(1_000_000);
  builder.tryAppend(null, 'one', undefined, 0);
  builder.tryAppend(null, 'two', undefined, 1);
  const batch = builder.seal({ codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 });
  batch.writeBigInt64BE(timestamp, HEADER.baseTimestamp);
  batch.writeBigInt64BE(timestamp + 1n, HEADER.maxTimestamp);
  batch.writeUInt32BE(crc32c(batch, HEADER.attributes, batch.length), HEADER.crc);
  const { cluster } = target.kafka;
  await cluster.refresh([topic]);
  const { nodeId } = cluster.metadata.leader(topic, 0)!;
  const { id: topicId } = cluster.metadata.topic(topic)!;
  const answer = await cluster.send(nodeId, produceApi, (version) => ({
    acks: -1,
    timeoutMs: 5_000,
    topicData: [
      {
        ...(version >= 13 ? { topicId } : { name: topic }),
        partitionData: [{ index: 0, records: batch }],
      },
    ],
  }));
  expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(0);
}
