// The sinks' producer over a kafkajs that says what the test says.
import { describe, expect, it } from '@jest/globals';
import type { Message, ProducerBatch } from 'kafkajs';
import type { Receipt } from '../../src/core/producer/receipt.ts';
import type { ProducerOptions } from '../../src/core/producer/options.ts';
import { OutcomeUnknownError, type KafkaError } from '../../src/errors.ts';
import { KafkajsStreamClient } from '../../src/kafkajs/index.ts';
import { protocolError } from './fake-kafkajs.ts';

class Results implements Receipt {
  readonly acked: number[] = [];
  readonly failed: [tag: number, error: KafkaError][] = [];
  readonly withdrawn: number[] = [];
  dead = false;

  onAcked(_partition: number, _offset: number, _timestamp: number, tag: number): void {
    this.acked.push(tag);
  }

  onFailed(error: KafkaError, tag: number): void {
    this.failed.push([tag, error]);
  }

  isWithdrawn(): boolean {
    return this.dead;
  }

  onWithdrawn(tag: number): void {
    this.withdrawn.push(tag);
  }
}

/** A producer whose batches end as `answer` does. */
function made(answer: (batch: ProducerBatch) => Promise<void>, options: ProducerOptions = {}) {
  const batches: ProducerBatch[] = [];
  const client = new KafkajsStreamClient(
    {
      consumer: () => undefined as never,
      admin: () => undefined as never,
      producer: () =>
        ({
          connect: () => Promise.resolve(),
          disconnect: () => Promise.resolve(),
          sendBatch: async (batch: ProducerBatch) => {
            batches.push(batch);
            await answer(batch);
            return [];
          },
        }) as never,
    },
    {},
  );
  const valuesOf = ({ topicMessages = [] }: ProducerBatch): string[] =>
    topicMessages.flatMap(({ messages }) => messages.map(({ value }: Message) => String(value)));
  return { producer: client.producer(options), batches, sent: () => batches.map(valuesOf), valuesOf };
}

describe('the producer over kafkajs', () => {
  it('sends what gathers in one batch, one batch at a time, in order', async () => {
    const { producer, sent } = made(() => Promise.resolve(), { batchRecords: 3 });
    const results = new Results();
    for (let at = 0; at < 7; at++) producer.send('t', { value: `${at}` }, results, at);
    await producer.flush();
    expect(sent()).toEqual([['0', '1', '2'], ['3', '4', '5'], ['6']]);
    expect(results.acked).toEqual([0, 1, 2, 3, 4, 5, 6]);
    await producer.close();
  });

  it('finds the record that is refused, and writes the others', async () => {
    const { producer, valuesOf } = made((batch) =>
      valuesOf(batch).includes('5')
        ? Promise.reject(protocolError('MESSAGE_TOO_LARGE', 10))
        : Promise.resolve(),
    );
    const results = new Results();
    for (let at = 0; at < 8; at++) producer.send('t', { value: `${at}` }, results, at);
    await producer.flush();
    expect(results.acked).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(results.failed.map(([tag, error]) => [tag, (error as { errorName?: string }).errorName])).toEqual([
      [5, 'MESSAGE_TOO_LARGE'],
    ]);
  });

  it('what was sent and not answered is neither done nor refused', async () => {
    const { producer } = made(() =>
      Promise.reject(Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' })),
    );
    const results = new Results();
    producer.send('t', { value: 'a' }, results, 1);
    await producer.flush();
    expect(results.failed[0]![1]).toBeInstanceOf(OutcomeUnknownError);
  });

  it('says when it is full, and when there is room again', async () => {
    let release = (): void => undefined;
    const { producer } = made(() => new Promise<void>((resolve) => (release = resolve)), {
      bufferBytes: 100,
    });
    const results = new Results();
    let ready = 0;
    producer.onReady(() => ready++);
    expect(producer.send('t', { value: 'x'.repeat(10) }, results)).toBe(true);
    expect(producer.send('t', { value: 'x'.repeat(60) }, results)).toBe(false);
    expect(producer.hasRoom()).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    release();
    await producer.flush();
    expect(ready).toBe(1);
    expect(producer.hasRoom()).toBe(true);
  });

  it('withdraws what nobody is waiting for any more', async () => {
    const { producer, batches } = made(() => Promise.resolve());
    const results = new Results();
    producer.send('t', { value: 'a' }, results, 1);
    results.dead = true;
    await producer.flush();
    expect(results.withdrawn).toEqual([1]);
    expect(batches).toEqual([]);
  });

  it('keeps headers by name, tombstones, keys and times; refuses a header that is null', async () => {
    const { producer, batches } = made(() => Promise.resolve());
    const results = new Results();
    producer.send(
      't',
      {
        key: Uint8Array.of(1),
        value: null,
        timestamp: 5,
        partition: 2,
        headers: [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
        ],
      },
      results,
    );
    await producer.flush();
    const [message] = batches[0]!.topicMessages![0]!.messages;
    expect(message).toMatchObject({ value: null, timestamp: '5', partition: 2, key: Buffer.from([1]) });
    expect({ ...message!.headers }).toEqual({
      a: [Buffer.from('1'), Buffer.from('3')],
      b: [Buffer.from('2')],
    });
    expect(() => producer.send('t', { value: 'x', headers: [['n', null]] }, results)).toThrow(
      /header 'n' is null, which kafkajs cannot write/,
    );
  });

  it('takes nothing more when it is closed', async () => {
    const { producer } = made(() => Promise.resolve());
    await producer.close();
    expect(() => producer.send('t', { value: 'x' }, new Results())).toThrow(/is closed/);
  });
});
