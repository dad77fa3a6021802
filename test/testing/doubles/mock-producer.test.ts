// Each helper once as it holds and once as it does not, with the message it fails with.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { BrokerError, UsageError } from '../../../src/errors.ts';
import type { Producer } from '../../../src/core/index.ts';
import type { Receipt, RecordProducer } from '../../../src/core/index.ts';
import { MockProducer } from '../../../src/testing/index.ts';

/** Code under test: it sends in order, and tells how it went. */
async function placeAll(producer: RecordProducer, ids: readonly string[]): Promise<string[]> {
  const results = await Promise.allSettled(
    ids.map((id) => producer.sendAsync('orders', { key: id, value: JSON.stringify({ id }) })),
  );
  return results.map((one) =>
    one.status === 'fulfilled'
      ? `${one.value.partition}@${one.value.offset}`
      : (one.reason as BrokerError).message,
  );
}

async function failure(producer: MockProducer): Promise<string | undefined> {
  try {
    await producer.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('MockProducer', () => {
  it('takes the place of a Producer', () => {
    expectTypeOf<Producer>().toExtend<RecordProducer>();
    expectTypeOf<MockProducer>().toExtend<RecordProducer>();
  });

  it('expectSendAndSucceed: acknowledged, with an offset for each partition', async () => {
    const producer = new MockProducer({ partitions: { orders: 3 } });
    producer.expectSendAndSucceed().expectSendAndSucceed().expectSendAndSucceed();
    expect(await placeAll(producer, ['a', 'a', 'b'])).toEqual(['1@0', '1@1', '2@0']);
    expect(producer.unmet).toBe(0);
    expect(await failure(producer)).toBeUndefined();
  });

  it('expectSendAndSucceed: unmet at close', async () => {
    const producer = new MockProducer();
    producer
      .expectSendAndSucceed()
      .expectSendAndSucceed({ topic: 'orders', value: 'x', headers: { h: '1' } });
    producer.expectSendAndSucceed(() => true);
    await placeAll(producer, ['a']);
    expect(producer.unmet).toBe(2);
    expect(await failure(producer)).toBe(
      'MockProducer: not all was as expected\n' +
        "  expectation 2 was not met: a send that succeeds, with topic 'orders', value 'x', header h '1'\n" +
        '  expectation 3 was not met: a send that succeeds, checked by a function',
    );
    await expect(producer.close()).rejects.toThrow('MockProducer');
  });

  it('expectSendAndFail: with an error of the test, or of Kafka by name', async () => {
    const producer = new MockProducer();
    const full = new BrokerError('MESSAGE_TOO_LARGE', 'too large', { retriable: false });
    producer.expectSendAndFail(full).expectSendAndFail('NOT_ENOUGH_REPLICAS');
    const [first, second] = await placeAll(producer, ['a', 'b']);
    expect(first).toBe('too large');
    expect(second).toMatch(/^Produce: NOT_ENOUGH_REPLICAS \(19\)/);
    expect(await failure(producer)).toBeUndefined();
  });

  it('expectSendAndFail: unmet at close', async () => {
    const producer = new MockProducer();
    producer.expectSendAndFail('NOT_ENOUGH_REPLICAS', { key: 'a' });
    expect(await failure(producer)).toBe(
      "MockProducer: not all was as expected\n  expectation 1 was not met: a send that fails with NOT_ENOUGH_REPLICAS, with key 'a'",
    );
  });

  it('a send without an expectation fails, and close() tells', async () => {
    const none = new MockProducer();
    const text = 'the send to orders-0 (key \'a\', value \'{"id":"a"}\') has no expectation: none was set';
    expect(await placeAll(none, ['a'])).toEqual([`MockProducer: ${text}`]);
    expect(await failure(none)).toBe(`MockProducer: not all was as expected\n  ${text}`);
    const one = new MockProducer();
    one.expectSendAndSucceed();
    expect(await placeAll(one, ['a', 'b'])).toEqual(['0@0', expect.stringMatching(/the only one is met$/)]);
    await expect(one.close()).rejects.toThrow(/key 'b'.*the only one is met/);
    const two = new MockProducer();
    two.expectSendAndSucceed().expectSendAndSucceed();
    expect(await placeAll(two, ['a', 'b', 'c'])).toContainEqual(expect.stringMatching(/all 2 are met$/));
    await expect(two.close()).rejects.toThrow('all 2 are met');
  });

  it('checks fields', async () => {
    const run = async (key: string): Promise<string | undefined> => {
      const producer = new MockProducer();
      producer.expectSendAndSucceed({
        topic: 'orders',
        partition: 0,
        key,
        value: Buffer.from('{"id":"a"}'),
        timestamp: undefined,
      });
      await placeAll(producer, ['a']);
      return failure(producer);
    };
    expect(await run('a')).toBeUndefined();
    expect(await run('b')).toBe(
      'MockProducer: not all was as expected\n' +
        "  the send to orders-0 (key 'a', value '{\"id\":\"a\"}') is not as expectation 1 says: key is 'a', not 'b'",
    );
  });

  it('checks headers, timestamps and tombstones', async () => {
    const run = async (trace: string, timestamp: number): Promise<string | undefined> => {
      const producer = new MockProducer();
      producer.expectSendAndSucceed({ value: null, headers: { trace }, timestamp });
      producer.send('t', { value: null, headers: { trace: '7' }, timestamp: 5 }, ignore);
      return failure(producer);
    };
    expect(await run('7', 5)).toBeUndefined();
    expect(await run('8', 6)).toMatch(/timestamp is 5, not 6; header trace is '7', not '8'$/);
  });

  it('checks by a function that throws, as assertions do, or answers false', async () => {
    const run = async (total: number): Promise<string | undefined> => {
      const producer = new MockProducer();
      producer.expectSendAndSucceed(({ value }) => expect(JSON.parse(String(value))).toEqual({ total }));
      producer.expectSendAndSucceed(({ value }) => String(value).includes(`${total}`));
      producer.send('t', { value: '{"total":5}' }, ignore);
      producer.send('t', { value: '{"total":5}' }, ignore);
      return failure(producer);
    };
    expect(await run(5)).toBeUndefined();
    const message = await run(6);
    expect(message).toContain(
      'the send to t-0 (key null, value \'{"total":5}\') is not as expectation 1 says: ',
    );
    expect(message).toContain('is not as expectation 2 says: its check answered false');
  });

  it('answers in order, later than send, and not before it is released', async () => {
    const producer = new MockProducer();
    producer.expectSendAndSucceed().expectSendAndFail('REQUEST_TIMED_OUT').expectSendAndSucceed();
    producer.holdAnswers();
    const told: string[] = [];
    const receipt = (name: string): Receipt => ({
      onAcked: (_partition, offset, timestamp) => told.push(`${name} ${offset} ${timestamp}`),
      onFailed: (error) => told.push(`${name} ${(error as BrokerError).errorName}`),
    });
    producer.send('t', { value: '1', timestamp: 9 }, receipt('one'));
    producer.send('t', { value: '2' }, receipt('two'));
    await Promise.resolve();
    expect(told).toEqual([]);
    producer.release();
    producer.send('t', { value: '3' }, receipt('three'));
    expect(told).toEqual([]);
    await producer.flush();
    expect(told).toEqual(['one 0 9', 'two REQUEST_TIMED_OUT', 'three 1 -1']);
    await producer.close();
  });

  it('gives each answer the tag of its send', async () => {
    const producer = new MockProducer();
    producer.expectSendAndSucceed().expectSendAndFail('REQUEST_TIMED_OUT');
    const tags: number[] = [];
    const receipt: Receipt = {
      onAcked: (_partition, _offset, _timestamp, tag) => tags.push(tag),
      onFailed: (_error, tag) => tags.push(tag),
    };
    producer.send('t', { value: '' }, receipt, 7);
    producer.send('t', { value: '' }, receipt, 8);
    await producer.close();
    expect(tags).toEqual([7, 8]);
  });

  it('is full on demand, and tells when it has room', async () => {
    const producer = new MockProducer();
    let calls = 0;
    const stop = producer.onReady(() => calls++);
    producer.expectSendAndSucceed();
    producer.fillUp();
    expect(producer.hasRoom()).toBe(false);
    expect(producer.send('t', { value: '' }, ignore)).toBe(false);
    producer.makeRoom();
    expect([producer.hasRoom(), calls]).toEqual([true, 1]);
    stop();
    producer.makeRoom();
    expect(calls).toBe(1);
    await producer.close();
  });

  it('refuses what the real one refuses, leaves out what is withdrawn, and is closed once', async () => {
    const producer = new MockProducer();
    expect(() => producer.send('t', { value: undefined } as never, ignore)).toThrow(UsageError);
    expect(() => producer.send('', { value: '' }, ignore)).toThrow('name of a topic');
    expect(() => producer.send('t', { value: '', timestamp: -1 }, ignore)).toThrow('whole milliseconds');
    producer.expectSendAndSucceed();
    const told: string[] = [];
    producer.send(
      't',
      { value: '' },
      { ...ignore, isWithdrawn: () => true, onWithdrawn: () => told.push('withdrawn') },
    );
    await producer.close();
    expect(told).toEqual(['withdrawn']);
    expect(() => producer.send('t', { value: '' }, ignore)).toThrow(/closed/);
  });
});

const ignore: Receipt = { onAcked: () => undefined, onFailed: () => undefined };
