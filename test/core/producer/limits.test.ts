import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../src/errors.ts';
import { producerSettings, type ProducerOptions } from '../../../src/core/producer/options.ts';
import { ID, numbered, Setup, TOPIC } from './setup.ts';

describe('the buffer of a producer', () => {
  it('says when it is full, and calls once when a quarter is free again', async () => {
    const setup = new Setup(1, { bufferBytes: 10_000, partitionBufferBytes: 100_000, batchBytes: 1000 });
    await setup.warmUp();
    setup.cluster.latencyMs = 100;
    let calls = 0;
    setup.producer.onReady(() => (calls += 1));
    let sent = 0;
    while (setup.send([`record-${String(sent).padStart(80, '0')}`])) sent += 1;
    expect(sent * 95).toBeGreaterThan(8000);
    expect(sent * 95).toBeLessThan(10_500);
    expect(setup.producer.hasRoom()).toBe(false);
    await setup.cluster.clock.advance(201);
    expect(calls).toBe(0);
    expect(setup.producer.hasRoom()).toBe(false);
    await setup.cluster.clock.advance(200);
    expect(calls).toBe(1);
    expect(setup.producer.hasRoom()).toBe(true);
    await setup.drain();
    expect(setup.recorder.ids('acked').length).toBe(sent + 2);
  });

  it('leaves room for other topics when a partition has no leader', async () => {
    const setup = new Setup(2, { bufferBytes: 10_000, batchBytes: 500 });
    setup.cluster.createTopic('other', 1);
    setup.cluster.moveLeader(TOPIC, 1, -1);
    await setup.warmUp();
    const values = numbered(200, 'x'.repeat(90));
    let taken = 0;
    while (setup.producer.hasRoom(TOPIC)) setup.send([values[taken++]!], 1);
    expect(taken * 90).toBeLessThan(3000);
    expect(setup.send(['more'], 0)).toBe(false);
    expect(setup.producer.hasRoom('other')).toBe(true);
    expect(setup.producer.send('other', { value: 'o' }, setup.recorder.receipt('o'))).toBe(true);
    await setup.cluster.clock.advance(100);
    expect(setup.recorder.outcome('o')).toBe('acked');
    let ready = 0;
    setup.producer.onReady(() => (ready += 1));
    setup.cluster.moveLeader(TOPIC, 1, 0);
    await setup.drain();
    expect(ready).toBe(1);
    expect(setup.producer.hasRoom(TOPIC)).toBe(true);
    expect(setup.values(1)).toEqual(values.slice(0, taken));
  });

  it('is empty again after everything is answered, failed or withdrawn', async () => {
    const setup = new Setup(1, {
      batchBytes: 200,
      maxRecordBytes: 400,
      deliveryTimeoutMs: 1000,
      requestTimeoutMs: 200,
    });
    await setup.warmUp();
    const values = numbered(60, 'value-');
    for (const value of values.filter((_, i) => i % 3 === 0)) setup.recorder.withdrawn.add(value);
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 150;
    setup.cluster.faults = ['ok', 87, 'drop', 'apply-drop'];
    setup.send(values);
    setup.send(['x'.repeat(500)]);
    await setup.drain();
    setup.cluster.faults = numbered(50).map(() => 'hang' as const);
    setup.send(['a', 'b']);
    await setup.drain();
    const { buffer } = setup.producer as unknown as { buffer: { used: number } };
    expect(buffer.used).toBe(0);
    expect(setup.recorder.fates.size).toBe(64);
    expect(setup.recorder.twice).toBe(0);
  });

  it('stops calling a listener that was taken off', async () => {
    const setup = new Setup(1, { bufferBytes: 1000 });
    let calls = 0;
    const off = setup.producer.onReady(() => (calls += 1));
    off();
    setup.send(numbered(100));
    await setup.drain();
    expect(calls).toBe(0);
  });
});

describe('the size of a record', () => {
  it('is counted exactly', async () => {
    const setup = new Setup(1, { maxRecordBytes: 1000 });
    // 61 bytes of batch, then length 2, attributes 1, deltas 2, no key 1, value length 2, no headers 1.
    const fits = 'x'.repeat(1000 - 70);
    setup.send([fits]);
    setup.send([`${fits}y`]);
    setup.send(['z']);
    await setup.drain();
    expect(setup.outcomes([fits, `${fits}y`, 'z'])).toEqual(['acked', 'MESSAGE_TOO_LARGE', 'acked']);
    const records = setup.cluster.produced[0]!.body.topicData[0]!.partitionData[0]!.records as Buffer;
    expect(records.length).toBe(1000);
  });

  it('fails a huge one without encoding it, and its receipt after send has returned', async () => {
    const setup = new Setup();
    await setup.warmUp();
    const huge = Buffer.alloc(50_000_000);
    setup.producer.send(TOPIC, { value: huge }, setup.recorder.receipt('huge'));
    expect(setup.recorder.outcome('huge')).toBe('nothing yet');
    await setup.cluster.clock.settle();
    expect(setup.recorder.outcome('huge')).toBe('MESSAGE_TOO_LARGE');
    expect(setup.cluster.produced.length).toBe(1);
  });

  it('lets a record larger than batchBytes go alone', async () => {
    const setup = new Setup(1, { batchBytes: 100 });
    const large = 'x'.repeat(5000);
    setup.send(['a', large, 'b']);
    await setup.drain();
    expect(setup.values()).toEqual(['a', large, 'b']);
  });
});

describe('a record that cannot be written', () => {
  it.each([
    ['a timestamp that is no number', { timestamp: Number.NaN }, 'timestamp'],
    ['a negative timestamp', { timestamp: -1 }, 'timestamp'],
    ['half a millisecond', { timestamp: 0.5 }, 'timestamp'],
    ['a timestamp past int64', { timestamp: 2 ** 63 }, 'timestamp'],
    ['headers that are none', { headers: 'a=1' as unknown as [] }, 'headers'],
    ['a header that is a number', { headers: { a: 5 as unknown as string } }, 'headers'],
  ])(
    '%s is refused at once, whether its topic is known or not, and the next one is sent',
    async (_what, fields, option) => {
      const setup = new Setup(1);
      for (const topic of ['late', TOPIC]) {
        const send = (): unknown =>
          setup.producer.send(topic, { value: 'bad', ...fields }, setup.recorder.receipt('bad'));
        expect(send).toThrow(expect.objectContaining({ code: 'USAGE', option }));
        setup.producer.send(topic, { value: topic }, setup.recorder.receipt(topic));
        setup.cluster.createTopic('late', 1);
      }
      await setup.drain();
      expect(setup.outcomes(['bad', 'late', TOPIC])).toEqual(['nothing yet', 'acked', 'acked']);
    },
  );
});

describe('a batch that the broker finds too large', () => {
  it('is split and keeps its place', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 300;
    const values = numbered(100, 'value-');
    setup.send(values);
    await setup.sendApart(['behind', 'further behind']);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual([...values, 'behind', 'further behind']);
    expect(setup.recorder.ids('acked')).toEqual(setup.values());
    expect(setup.producer.counters.splits).toBeGreaterThan(0);
    expect(setup.producer.counters.epochBumps).toBe(0);
  });

  it('makes the next batches smaller', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 3000;
    setup.send(numbered(1000, 'value-'));
    await setup.drain();
    const { splits } = setup.producer.counters;
    setup.send(numbered(1000, 'again-'));
    await setup.drain();
    expect(setup.producer.counters.splits).toBe(splits);
    expect(setup.recorder.ids('acked').length).toBe(2001);
  });

  it('fails when it has one record, and only that', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 300;
    const large = 'x'.repeat(400);
    setup.send(['a', 'b', large, 'c', 'd']);
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', 'a', 'b', 'c', 'd']);
    expect(setup.recorder.outcome(large)).toBe('MESSAGE_TOO_LARGE');
  });

  it('is split compressed too', async () => {
    const setup = new Setup(1, { compression: 'gzip' });
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 400;
    const values = numbered(400, 'value-');
    setup.send(values);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(values);
  });

  it('resolves a flush that was waiting for it', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.log(TOPIC, 0).maxBatchBytes = 300;
    setup.send(numbered(100, 'value-'));
    let flushed = false;
    void setup.producer.flush().then(() => (flushed = true));
    await setup.cluster.clock.advance(6);
    expect(flushed).toBe(false);
    await setup.cluster.clock.advance(5000);
    expect(flushed).toBe(true);
    expect(setup.recorder.fates.size).toBe(101);
  });
});

describe('a withdrawn record', () => {
  it('is left out when its batch is first sent', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.send(['a', 'b', 'c', 'd']);
    setup.recorder.withdrawn.add('b').add('d');
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', 'a', 'c']);
    expect(setup.outcomes(['a', 'b', 'c', 'd'])).toEqual(['acked', 'withdrawn', 'acked', 'withdrawn']);
    expect(setup.recorder.fates.get('c')).toMatchObject({ offset: 2 });
    expect(setup.producer.counters.recordsWithdrawn).toBe(2);
  });

  it('is sent again when its batch was sent before', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.faults = ['drop'];
    setup.send(['a', 'b']);
    await setup.cluster.clock.advance(20);
    setup.recorder.withdrawn.add('b');
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', 'a', 'b']);
  });

  it('leaves nothing to send when all of its batch are withdrawn', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.send(['a', 'b']);
    setup.recorder.withdrawn.add('a').add('b');
    await setup.drain();
    expect(setup.cluster.produced.length).toBe(1);
    setup.send(['c']);
    await setup.drain();
    expect(setup.values()).toEqual(['warm-0', 'c']);
    expect(setup.outcomes(['a', 'b', 'c'])).toEqual(['withdrawn', 'withdrawn', 'acked']);
  });

  it('keeps keys, headers and timestamps of the others', async () => {
    const setup = new Setup(1);
    const { producer, recorder, cluster } = setup;
    producer.send(TOPIC, { value: 'gone' }, recorder.receipt('gone'));
    producer.send(
      TOPIC,
      {
        key: 'k',
        value: 'kept',
        headers: [
          ['h', '1'],
          ['h', null],
        ],
        timestamp: 77,
      },
      recorder.receipt('kept'),
    );
    recorder.withdrawn.add('gone');
    await setup.drain();
    const plain = new Setup(1);
    plain.producer.send(
      TOPIC,
      {
        key: 'k',
        value: 'kept',
        headers: [
          ['h', '1'],
          ['h', null],
        ],
        timestamp: 77,
      },
      plain.recorder.receipt('kept'),
    );
    await plain.drain();
    const records = ({ cluster: { produced } }: Setup): unknown =>
      produced[0]!.body.topicData[0]!.partitionData[0]!.records;
    expect(records(setup)).toEqual(records(plain));
    expect(cluster.produced[0]!.body.topicData[0]!.topicId).toBe(ID);
  });
});

describe('options', () => {
  it.each<[string, ProducerOptions]>([
    ['lingerMs', { lingerMs: -1 }],
    ['batchBytes', { batchBytes: Number.NaN }],
    ['batchBytes', { batchBytes: 2_000_000 }],
    ['maxInFlight', { maxInFlight: 6 }],
    ['maxRequestBytes', { maxRequestBytes: 1000 }],
    ['lingerMs', { lingerMs: 1000, deliveryTimeoutMs: 500 }],
    ['partitioner', { partitioner: 'by chance' as 'murmur2' }],
    ['compression', { compression: 'brotli' as 'gzip' }],
    ['bufferSize', { bufferSize: 5 } as ProducerOptions],
  ])('refuses a %s that makes no sense', (option, options) => {
    expect(() => producerSettings(options)).toThrow(UsageError);
    expect(() => producerSettings(options)).toThrow(expect.objectContaining({ option }));
  });

  it('has a default for each', () => {
    expect(Object.values(producerSettings()).every((value) => value !== undefined)).toBe(true);
  });
});
