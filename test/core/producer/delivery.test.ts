import { describe, expect, it } from '@jest/globals';
import { numbered, Setup, TOPIC } from './setup.ts';

describe('a producer that meets no trouble', () => {
  it('tells each receipt partition, offset and timestamp', async () => {
    const { cluster, producer } = new Setup(3);
    const first = producer.sendAsync(TOPIC, { value: 'a', partition: 2, timestamp: 1234 });
    const second = producer.sendAsync(TOPIC, { value: 'b', partition: 2 });
    await cluster.clock.run(Promise.all([first, second]));
    expect(await first).toEqual({ partition: 2, offset: 0, timestamp: 1234 });
    expect(await second).toEqual({
      partition: 2,
      offset: 1,
      timestamp: cluster.clock.wallNow() - cluster.clock.now(),
    });
  });

  it('tells the time of the append where the broker stamps records', async () => {
    const { cluster, producer } = new Setup();
    cluster.appendTimeMs = 99;
    const sent = producer.sendAsync(TOPIC, { value: 'a', timestamp: 1234 });
    await cluster.clock.run(sent);
    expect((await sent).timestamp).toBe(99);
  });

  it('sends a single record at once', async () => {
    const { cluster, producer, recorder } = new Setup();
    producer.send(TOPIC, { value: 'warm' }, recorder.receipt('warm'));
    await cluster.clock.run(producer.flush());
    const before = cluster.produced.length;
    producer.send(TOPIC, { value: 'a' }, recorder.receipt('a'));
    await cluster.clock.settle();
    expect(cluster.produced.length).toBe(before + 1);
  });

  it('puts what is sent in one turn into one batch, and gathers while a batch is out', async () => {
    const setup = new Setup();
    await setup.warmUp();
    const before = setup.cluster.produced.length;
    setup.send(numbered(10, 'a'));
    await setup.cluster.clock.settle();
    setup.send(numbered(10, 'b'));
    await setup.cluster.clock.advance(1);
    setup.send(numbered(10, 'c'));
    await setup.cluster.clock.advance(1000);
    expect(setup.cluster.produced.length - before).toBe(2);
    expect(setup.values()).toEqual([
      'warm-0',
      ...numbered(10, 'a'),
      ...numbered(10, 'b'),
      ...numbered(10, 'c'),
    ]);
    expect(setup.recorder.ids('acked')).toEqual(setup.values());
  });

  it('waits for lingerMs from the first record of a batch, and no longer', async () => {
    const setup = new Setup(1, { lingerMs: 50 });
    await setup.warmUp();
    const before = setup.cluster.produced.length;
    setup.send(['a']);
    await setup.cluster.clock.advance(30);
    setup.send(['b']);
    await setup.cluster.clock.advance(19);
    expect(setup.cluster.produced.length).toBe(before);
    await setup.cluster.clock.advance(1);
    expect(setup.cluster.produced.length).toBe(before + 1);
    await setup.cluster.clock.advance(10);
    expect(setup.recorder.ids('acked')).toEqual(['warm-0', 'a', 'b']);
  });

  it('lingers also while a batch is out, and sends beside it', async () => {
    const setup = new Setup(1, { lingerMs: 50 });
    await setup.warmUp();
    setup.cluster.latencyMs = 1000;
    const before = setup.cluster.produced.length;
    setup.send(['a']);
    await setup.cluster.clock.advance(60);
    setup.send(['b']);
    await setup.cluster.clock.advance(60);
    expect(setup.cluster.produced.length).toBe(before + 2);
  });

  it('has five batches of a partition on the way, no more', async () => {
    const setup = new Setup(1, { batchBytes: 80 });
    await setup.warmUp();
    setup.cluster.latencyMs = 1000;
    const before = setup.cluster.produced.length;
    setup.send(numbered(50, 'some-longer-value-'));
    await setup.cluster.clock.settle();
    expect(setup.cluster.produced.length - before).toBe(5);
    await setup.drain();
    expect(setup.values().slice(1)).toEqual(numbered(50, 'some-longer-value-'));
  });

  it('sends one batch ahead to a log that does not know it yet', async () => {
    const setup = new Setup(1, { batchBytes: 80 });
    setup.send(numbered(20, 'some-longer-value-'));
    await setup.cluster.clock.advance(12);
    expect(setup.cluster.produced.length).toBe(1);
    await setup.drain();
    expect(setup.values()).toEqual(numbered(20, 'some-longer-value-'));
  });

  it('puts the partitions of one broker into one request', async () => {
    const setup = new Setup(6);
    for (let partition = 0; partition < 6; partition += 1) setup.send([`v${partition}`], partition);
    await setup.drain();
    expect(setup.cluster.produced.length).toBe(2);
    expect(setup.cluster.produced.map(({ body }) => body.topicData[0]!.partitionData.length)).toEqual([3, 3]);
  });

  it('keeps a request within maxRequestBytes', async () => {
    const setup = new Setup(6, { maxRecordBytes: 1000, maxRequestBytes: 1500 });
    for (let partition = 0; partition < 6; partition += 1)
      setup.send([`${'x'.repeat(600)}${partition}`], partition);
    await setup.drain();
    for (const { body } of setup.cluster.produced) {
      const bytes = body.topicData[0]!.partitionData.reduce(
        (sum, { records }) => sum + (records as Buffer).length,
        0,
      );
      expect(bytes).toBeLessThanOrEqual(1500);
    }
    expect(setup.cluster.produced.length).toBe(4);
  });

  it('sends a key to its murmur2 partition, by a name or a function too', async () => {
    const setup = new Setup(10);
    for (const key of ['foobar', 'abc', '21'])
      setup.producer.send(TOPIC, { key, value: key }, setup.recorder.receipt(key));
    await setup.drain();
    expect(setup.values(6)).toEqual(['foobar']);
    expect(setup.values(0)).toEqual(['21']);
    const own = new Setup(10, { partitioner: (key, count) => (key === null ? undefined : count - 1) });
    own.producer.send(TOPIC, { key: 'foobar', value: 'a' }, own.recorder.receipt('a'));
    await own.drain();
    expect(own.values(9)).toEqual(['a']);
  });

  it('spreads records without a key over all partitions, a batch at a time', async () => {
    const setup = new Setup(4, { batchBytes: 20_000 });
    const values = numbered(20_000, 'value-');
    for (const value of values) setup.producer.send(TOPIC, { value }, setup.recorder.receipt(value));
    await setup.drain();
    const sizes = [0, 1, 2, 3].map((partition) => setup.values(partition).length);
    expect(sizes.reduce((a, b) => a + b)).toBe(20_000);
    expect(Math.min(...sizes)).toBeGreaterThan(1000);
    const requests = setup.cluster.produced.length;
    expect(requests).toBeLessThan(40);
  });

  it('keeps a record without a key away from a partition without a leader', async () => {
    const setup = new Setup(3);
    setup.cluster.moveLeader(TOPIC, 1, -1);
    const values = numbered(3000, 'value-');
    for (const value of values) {
      setup.producer.send(TOPIC, { value }, setup.recorder.receipt(value));
      if (value.endsWith('00')) await setup.cluster.clock.advance(20);
    }
    await setup.drain();
    expect(setup.values(1)).toEqual([]);
    expect(setup.values(0).length + setup.values(2).length).toBe(3000);
  });

  it('writes each compression so that it can be read', async () => {
    for (const compression of ['none', 'gzip', 'snappy'] as const) {
      const setup = new Setup(1, { compression });
      setup.send(numbered(100));
      await setup.drain();
      expect(setup.values()).toEqual(numbered(100));
      expect(setup.cluster.log(TOPIC, 0).codecs[0]).toBe(compression);
    }
  });

  it('counts what it did', async () => {
    const setup = new Setup();
    await setup.warmUp();
    setup.cluster.faults = ['drop'];
    setup.send(numbered(10));
    await setup.drain();
    expect(setup.producer.counters).toMatchObject({
      recordsSent: 11,
      batchesSent: 2,
      requests: 3,
      retries: 1,
      recordsFailed: 0,
    });
    expect(setup.producer.counters.bytesSent).toBeGreaterThan(140);
  });
});
