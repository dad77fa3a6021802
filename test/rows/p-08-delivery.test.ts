// Rows P-08 to P-14: acknowledgements, retries, order, buffers, the breaker, idempotence.
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { asyncProducer, Kafka, UsageError } from '../../src/index.ts';
import { fault } from '../../src/testing/broker/faults/fault.ts';
import { produceApi } from '../../src/core/protocol/messages/00-produce.ts';
import { TamperingProxy } from '../helpers/bad-input/tampering-proxy.ts';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { rejection } from '../helpers/rejection.ts';
import { startBox, type Boxed } from './support/box-producing.ts';
import { CuttingTransport, firsts, numbered, valuesOf } from './support/producing.ts';
import { createTopic } from './support/reading.ts';

const real = brokers === undefined ? describe.skip : describe;
let boxed: Boxed;

describe('on the box', () => {
  afterEach(() => boxed.close());
  const bodies = (): { acks: number; timeoutMs: number }[] => {
    const seen: { acks: number; timeoutMs: number }[] = [];
    boxed.box.fault({
      match: { api: 'Produce' },
      observe: ({ body }) => void seen.push(body as { acks: number; timeoutMs: number }),
    });
    return seen;
  };

  it.each([
    [-1, 'all'],
    [1, 1],
    [0, 0],
  ] as const)('P-08: acks goes over the wire as %i', async (onWire, acks) => {
    boxed = await startBox({ t: 1 });
    const seen = bodies();
    const producer = boxed.kafka.producer({ acks, idempotent: acks === 'all' });
    const { offset } = await boxed.run(producer.sendAsync('t', { value: 'x' }));
    expect(offset).toBe(acks === 0 ? -1 : 0);
    await boxed.run(producer.close());
    await boxed.clock.runUntil(() => boxed.box.partition('t', 0).logEndOffset === 1);
    expect(seen.map(({ acks: one }) => one)).toEqual([onWire]);
    expect(seen[0]!.timeoutMs).toBeGreaterThan(0);
    expect(() => boxed.kafka.producer({ acks: 1 })).toThrow(UsageError);
  });

  it('P-08: too few in-sync replicas are waited for', async () => {
    boxed = await startBox(
      { t: { replicationFactor: 2, configs: { 'min.insync.replicas': '2' } } },
      { brokers: 2 },
    );
    const leader = boxed.box.leaderOf('t', 0);
    const back = boxed.box.putOutOfSync('t', 0, 1 - leader);
    const producer = boxed.kafka.producer();
    const sent = boxed.run(producer.sendAsync('t', { value: 'x' }));
    boxed.clock.setTimeout(back, 1_500);
    expect((await sent).offset).toBe(0);
    expect(producer.counters.retries).toBeGreaterThan(1);
    await boxed.run(producer.close());
  });

  it.each([0, 1, 2, 3, 4])('P-09: %i errors with at most 3 retries', async (errors) => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer({ retries: 3, retryBackoffMs: 100, retryBackoffMaxMs: 100 });
    const times: number[] = [];
    boxed.box.fault({ match: { api: 'Produce' }, observe: ({ atMs }) => void times.push(atMs) });
    boxed.box.fault({ match: { api: 'Produce' }, do: fault.error('NOT_ENOUGH_REPLICAS'), count: errors });
    const sent = boxed.run(producer.sendAsync('t', { value: 'x' }));
    if (errors <= 3) expect((await sent).offset).toBe(0);
    else expect(await rejection(sent)).toMatchObject({ errorName: 'NOT_ENOUGH_REPLICAS' });
    expect(times).toHaveLength(Math.min(errors, 3) + 1);
    for (let at = 1; at < times.length; at += 1)
      expect(times[at]! - times[at - 1]!).toBeGreaterThanOrEqual(80);
    await boxed.run(producer.close());
  });

  it.each(['INVALID_RECORD', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TIMESTAMP'] as const)(
    'P-09: %s is not tried again',
    async (name) => {
      boxed = await startBox({ t: 1 });
      const producer = boxed.kafka.producer();
      boxed.box.fault({ match: { api: 'Produce' }, do: fault.error(name) });
      expect(await rejection(boxed.run(producer.sendAsync('t', { value: 'x' })))).toMatchObject({
        errorName: name,
      });
      expect(producer.counters.retries).toBe(0);
      expect((await boxed.run(producer.sendAsync('t', { value: 'y' }))).offset).toBe(0);
      await boxed.run(producer.close());
    },
  );

  it.each([
    [false, 1],
    [true, 5],
  ])('P-11: idempotent %s has at most %i batches of a partition in flight', async (idempotent, most) => {
    boxed = await startBox({ t: 2 });
    const producer = boxed.kafka.producer({ idempotent, batchRecords: 1 });
    await boxed.run(producer.sendAsync('t', { value: 'warm', partition: 0 }));
    let now = 0;
    let max = 0;
    boxed.box.fault({
      match: { api: 'Produce' },
      do: fault.delay(20),
      count: Infinity,
      observe: () => undefined,
    });
    const send = (value: string, partition: number): Promise<void> =>
      producer.sendAsync('t', { value, partition }).then(() => undefined);
    const start = producer.counters.requests;
    const sent = Array.from({ length: 40 }, (_, at) => send(`${at}`, 0));
    await boxed.clock.runUntil(() => {
      now = producer.counters.requests - start - (producer.counters.batchesSent - 1);
      max = Math.max(max, now);
      return producer.counters.batchesSent === 41;
    });
    await boxed.run(Promise.all(sent));
    expect(max).toBe(most);
    expect(await boxed.values('t')).toEqual(['warm', ...numbered(40)]);
    await boxed.run(producer.close());
  });

  it('P-12: in an outage what has no room is reported, nothing is lost in silence, and the count adds up', async () => {
    boxed = await startBox({ t: 1 });
    const kafka = boxed.kafka;
    const producer = asyncProducer<string, string>(kafka, {
      topic: 't',
      whenFull: 'fail',
      producer: { bufferBytes: 60_000, partitionBufferBytes: 60_000 },
    });
    const errors: unknown[] = [];
    producer.errors.subscribe(({ error }) => errors.push(error));
    boxed.box.leaderless('t', 0);
    for (let at = 0; at < 10_000; at += 1) producer.write({ value: `v${at}` });
    expect(errors.length).toBeGreaterThan(0);
    boxed.box.moveLeader('t', 0, 0);
    const { written, succeeded, failed } = await boxed.run(producer.close());
    expect(written).toBe(10_000);
    expect(succeeded + failed).toBe(10_000);
    expect(errors).toHaveLength(failed);
    expect((await boxed.values('t')).length).toBe(succeeded);
  });

  it('P-13: after three failures of a topic nobody waits for it for 10 s, then one tries', async () => {
    boxed = await startBox({ other: 1 });
    const producer = boxed.kafka.producer({ metadataTimeoutMs: 2_000 });
    const tryIt = async (): Promise<number> => {
      const from = boxed.clock.now();
      await rejection(boxed.run(producer.sendAsync('missing', { value: 'x' })));
      return boxed.clock.now() - from;
    };
    for (let at = 0; at < 3; at += 1) expect(await tryIt()).toBeGreaterThanOrEqual(2_000);
    expect(await tryIt()).toBeLessThan(5);
    expect(await tryIt()).toBeLessThan(5);
    await boxed.run(new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 10_000)));
    expect(await tryIt()).toBeGreaterThanOrEqual(2_000);
    expect(await tryIt()).toBeLessThan(5);
    await boxed.run(new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 10_000)));
    boxed.box.createTopic('missing', { partitions: 1 });
    expect((await boxed.run(producer.sendAsync('missing', { value: 'x' }))).offset).toBe(0);
    await boxed.run(producer.close());
  });

  it('P-13: the same of a partition that stays without a leader; the others go on', async () => {
    boxed = await startBox({ t: 2 });
    boxed.box.leaderless('t', 0);
    const producer = boxed.kafka.producer({ deliveryTimeoutMs: 3_000 });
    const tryIt = async (): Promise<number> => {
      const from = boxed.clock.now();
      await rejection(boxed.run(producer.sendAsync('t', { value: 'x', partition: 0 })));
      return boxed.clock.now() - from;
    };
    for (let at = 0; at < 3; at += 1) expect(await tryIt()).toBeGreaterThanOrEqual(3_000);
    expect(await tryIt()).toBeLessThan(5);
    expect((await boxed.run(producer.sendAsync('t', { value: 'x', partition: 1 }))).offset).toBe(0);
    await boxed.run(new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 10_000)));
    boxed.box.moveLeader('t', 0, 0);
    expect((await boxed.run(producer.sendAsync('t', { value: 'x', partition: 0 }))).offset).toBe(0);
    await boxed.run(producer.close());
  });

  it("P-14: of 50 answers dropped after the append no record is doubled or lost, and the offsets are the log's", async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer({ batchRecords: 5, requestTimeoutMs: 500 });
    await boxed.run(producer.sendAsync('t', { value: 'warm' }));
    let seen = 0;
    boxed.box.fault({
      match: { api: 'Produce', where: () => seen++ % 3 === 0 },
      do: fault.applyThenDropResponse,
      count: 50,
    });
    const offsets: number[] = [];
    const values = numbered(1_000);
    for (let at = 0; at < 1_000; at += 100) {
      const places = values.slice(at, at + 100).map((value) => producer.sendAsync('t', { value }));
      for (const { offset } of await boxed.run(Promise.all(places))) offsets.push(offset);
    }
    expect(await boxed.values('t')).toEqual(['warm', ...values]);
    const known = offsets.map((offset, at) => (offset === -1 ? at + 1 : offset));
    expect(known).toEqual(values.map((_, at) => at + 1));
    expect(offsets.filter((offset) => offset === -1)).toEqual([]);
    await boxed.run(producer.close());
  });

  it('P-14: goes on under a new epoch after OUT_OF_ORDER_SEQUENCE_NUMBER and UNKNOWN_PRODUCER_ID', async () => {
    boxed = await startBox({ t: 1 });
    const producer = boxed.kafka.producer();
    await boxed.run(producer.sendAsync('t', { value: '0' }));
    for (const [at, name] of (['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'] as const).entries()) {
      boxed.box.fault({ match: { api: 'Produce' }, do: fault.error(name) });
      await boxed.run(producer.sendAsync('t', { value: `${at + 1}` }));
      expect(producer.counters.epochBumps).toBe(at + 1);
    }
    expect(await boxed.values('t')).toEqual(['0', '1', '2']);
    await boxed.run(producer.close());
  });

  it('P-14: a producer that is idle for longer than the broker keeps its id goes on', async () => {
    boxed = await startBox({ t: 1 }, { producerIdExpirationMs: 600_000 });
    const producer = boxed.kafka.producer();
    await boxed.run(Promise.all(numbered(10).map((value) => producer.sendAsync('t', { value }))));
    const hour = new Promise<void>((resolve) => boxed.clock.setTimeout(resolve, 3_600_000));
    await boxed.clock.run(hour, 4_000_000);
    await boxed.run(Promise.all(numbered(10, 'later').map((value) => producer.sendAsync('t', { value }))));
    expect(await boxed.values('t')).toEqual([...numbered(10), ...numbered(10, 'later')]);
    await boxed.run(producer.close());
  });
});

real('on a broker', () => {
  const transport = new CuttingTransport();
  const plain = testKafka();
  const topics: string[] = [];
  afterAll(async () => {
    await plain.admin().deleteTopics(topics);
    await plain.close();
  });

  it('P-08: acks=0 and acks=1', async () => {
    const topic = await createTopic(plain, uniqueName('p08'));
    topics.push(topic);
    const none = plain.producer({ acks: 0, idempotent: false });
    const places = await Promise.all(numbered(500).map((value) => none.sendAsync(topic, { value })));
    expect(places.every(({ offset }) => offset === -1)).toBe(true);
    await none.close();
    const one = plain.producer({ acks: 1, idempotent: false });
    const { offset } = await one.sendAsync(topic, { value: 'last' });
    expect(offset).toBe(500);
    await one.close();
    expect(await valuesOf(plain, topic)).toEqual([...numbered(500), 'last']);
  });

  it.each([false, true])(
    'P-10: idempotent %s: 20,000 records keep their order over 20 broken connections',
    async (idempotent) => {
      const topic = await createTopic(plain, uniqueName('p10'));
      topics.push(topic);
      const kafka = new Kafka({ brokers: brokers! }, { transport });
      const producer = kafka.producer({
        idempotent,
        batchBytes: 4_000,
        retryBackoffMs: 5,
        retryBackoffMaxMs: 20,
      });
      await producer.sendAsync(topic, { value: 'first' });
      transport.arm(20);
      const values = numbered(20_000);
      let failed = 0;
      const receipt = { onAcked: () => undefined, onFailed: () => void (failed += 1) };
      for (const [at, value] of values.entries()) {
        producer.send(topic, { value }, receipt);
        if (at % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await producer.close();
      expect(transport.left).toBe(0);
      await kafka.close();
      expect(failed).toBe(0);
      const log = await valuesOf(plain, topic);
      expect(firsts(log)).toEqual(['first', ...values]);
      if (idempotent) expect(log).toHaveLength(20_001);
    },
  );

  it("P-14: of 50 answers lost after the append no record is doubled, and the offsets are the log's", async () => {
    const topic = await createTopic(plain, uniqueName('p14'));
    topics.push(topic);
    const proxy = await TamperingProxy.start(brokers![0]!);
    const kafka = new Kafka({ brokers: [proxy.address] });
    const producer = kafka.producer({ batchRecords: 5, retryBackoffMs: 2, retryBackoffMaxMs: 10 });
    await producer.sendAsync(topic, { value: 'warm' });
    let answers = 0;
    proxy.tamper = (answer) => {
      if (answer.bodyOf(produceApi) === undefined || proxy.tampered === 50) return undefined;
      answers += 1;
      return answers % 3 === 0 ? { thenClose: Buffer.alloc(0) } : undefined;
    };
    const values = numbered(2_000);
    const offsets = new Array<number>(values.length).fill(-2);
    for (let at = 0; at < values.length; at += 100) {
      const some = values.slice(at, at + 100).map((value) => producer.sendAsync(topic, { value }));
      for (const [n, { offset }] of (await Promise.all(some)).entries()) offsets[at + n] = offset;
    }
    await producer.close();
    expect(proxy.tampered).toBe(50);
    expect(producer.counters.retries).toBeGreaterThanOrEqual(50);
    await kafka.close();
    await proxy.close();
    expect(await valuesOf(plain, topic)).toEqual(['warm', ...values]);
    expect(offsets).toEqual(values.map((_, at) => at + 1));
  });
});
