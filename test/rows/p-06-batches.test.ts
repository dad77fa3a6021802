// Rows P-06 and P-07: when a batch goes out, and how large it may be.
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { BrokerError } from '../../src/index.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { startBox, type Boxed } from './support/box-producing.ts';
import { valuesOf } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

describe('P-06: flush triggers', () => {
  let boxed: Boxed;
  afterEach(() => boxed.close());
  const produced = (): number => boxed.box.requests().filter(({ api }) => api === 'Produce').length;

  it('199 of 200 records wait, the 200th sends them all in one request', async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer({
      batchRecords: 200,
      lingerMs: 60_000,
      deliveryTimeoutMs: 120_000,
    });
    const sent = Array.from({ length: 199 }, (_, at) => producer.sendAsync('t', { value: `${at}` }));
    await boxed.run(new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 5_000)));
    expect(produced()).toBe(0);
    sent.push(producer.sendAsync('t', { value: '199' }));
    await boxed.run(Promise.all(sent));
    expect(produced()).toBe(1);
    expect(boxed.box.partition('t', 0).batches).toBe(1);
    await boxed.run(producer.close());
  });

  it('one record leaves after lingerMs, and not before', async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer({ lingerMs: 50 });
    await boxed.run(producer.sendAsync('t', { value: 'warm' }));
    const from = boxed.clock.now();
    await boxed.run(producer.sendAsync('t', { value: 'x' }));
    const tookMs = boxed.clock.now() - from;
    expect(tookMs).toBeGreaterThanOrEqual(50);
    expect(tookMs).toBeLessThanOrEqual(80);
    await boxed.run(producer.close());
  });

  it('no batch has more than batchRecords records', async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer({ batchRecords: 10 });
    await boxed.run(
      Promise.all(Array.from({ length: 95 }, (_, at) => producer.sendAsync('t', { value: `${at}` }))),
    );
    expect(boxed.box.partition('t', 0).batches).toBe(10);
    expect(await boxed.values('t')).toEqual(Array.from({ length: 95 }, (_, at) => `${at}`));
    await boxed.run(producer.close());
  });

  it('with all at zero a record goes at once, and more gather while one batch is on its way', async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer();
    const first = producer.sendAsync('t', { value: 'first' });
    await boxed.run(new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 0)));
    await boxed.run(first);
    const from = boxed.clock.now();
    const one = producer.sendAsync('t', { value: 'one' });
    await Promise.resolve();
    await Promise.resolve();
    const rest = Array.from({ length: 50 }, (_, at) => producer.sendAsync('t', { value: `${at}` }));
    await boxed.run(Promise.all([one, ...rest]));
    expect(boxed.clock.now() - from).toBeLessThan(20);
    expect(boxed.box.partition('t', 0).batches).toBe(3);
    await boxed.run(producer.close());
  });
});

(brokers === undefined ? describe.skip : describe)('P-07: sizes are exact, no estimate', () => {
  const kafka = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  it("a batch of exactly the topic's limit is taken, one byte more is refused here and never sent", async () => {
    const limit = 2 * 1024 * 1024;
    const topic = await createTopic(kafka, uniqueName('p07'), 1, { 'max.message.bytes': String(limit) });
    topics.push(topic);
    const producer = kafka.producer({ maxRecordBytes: limit });
    // 61 bytes of the batch, and of the record: length, attributes, time, offset, no key, the value's length, no headers.
    const overhead = 61 + 4 + 1 + 1 + 1 + 1 + 4 + 1;
    const { offset } = await producer.sendAsync(topic, { value: Buffer.alloc(limit - overhead) });
    expect(offset).toBe(0);
    const before = producer.counters.requests;
    const error = await rejection<BrokerError>(
      producer.sendAsync(topic, { value: Buffer.alloc(limit - overhead + 1) }),
    );
    expect(error).toMatchObject({ errorName: 'MESSAGE_TOO_LARGE' });
    expect(error.message).toContain(`${limit + 1} bytes`);
    expect(producer.counters.requests).toBe(before);
    await producer.close();
  });

  it('of batches filled to the byte none is refused', async () => {
    const limit = 20_000;
    const topic = await createTopic(kafka, uniqueName('p07'), 1, { 'max.message.bytes': String(limit) });
    topics.push(topic);
    const producer = kafka.producer({ batchBytes: limit, maxRecordBytes: limit });
    const values = Array.from({ length: 2_000 }, (_, at) => `${at}-${'ü'.repeat(at % 97)}`);
    await Promise.all(
      values.map((value, at) =>
        producer.sendAsync(topic, {
          value,
          key: at % 3 === 0 ? `k${at}` : null,
          headers: at % 5 === 0 ? { h: 'é' } : {},
        }),
      ),
    );
    expect(producer.counters).toMatchObject({ splits: 0, recordsFailed: 0, retries: 0 });
    expect(await valuesOf(kafka, topic)).toEqual(values);
    await producer.close();
  });

  it('a batch that the topic refuses is split, and only the record that is too large fails', async () => {
    const topic = await createTopic(kafka, uniqueName('p07'), 1, { 'max.message.bytes': '5000' });
    topics.push(topic);
    const producer = kafka.producer();
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, at) =>
        producer.sendAsync(topic, { value: at === 11 ? 'x'.repeat(9_000) : 'y'.repeat(700) }),
      ),
    );
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(results.map((_, at) => at !== 11));
    expect(await valuesOf(kafka, topic)).toHaveLength(29);
    await producer.close();
  });

  it('one partition without room does not take that of others', async () => {
    const boxed = await startBox({ t: 2 });
    boxed.box.leaderless('t', 0);
    const producer = boxed.kafka.producer({ bufferBytes: 40_000, partitionBufferBytes: 10_000 });
    const receipt = { onAcked: () => undefined, onFailed: () => undefined };
    let taken = 0;
    while (producer.hasRoom('t') && taken < 1_000) {
      producer.send('t', { value: 'x'.repeat(900), partition: 0 }, receipt);
      taken += 1;
      await boxed.clock.run(Promise.resolve());
    }
    expect(taken).toBeLessThan(15);
    expect(producer.hasRoom()).toBe(true);
    expect(await boxed.run(producer.sendAsync('t', { value: 'other', partition: 1 }))).toMatchObject({
      offset: 0,
    });
    boxed.box.moveLeader('t', 0, 0);
    await boxed.run(producer.close());
    await boxed.close();
  });
});
