import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../../src/errors.ts';
import { ID, numbered, OTHER_ID, Setup, TOPIC } from './setup.ts';

describe('a topic that does not exist', () => {
  it('fails its records with UNKNOWN_TOPIC_OR_PARTITION after metadataTimeoutMs', async () => {
    const setup = new Setup();
    const { cluster, producer, recorder } = setup;
    producer.send('nowhere', { value: 'a' }, recorder.receipt('a'));
    await cluster.clock.advance(14_000);
    expect(recorder.outcome('a')).toBe('nothing yet');
    await cluster.clock.advance(1100);
    expect(recorder.outcome('a')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(recorder.error('a').message).toContain('nowhere');
  });

  it('gives the next record its own time', async () => {
    const { cluster, producer, recorder } = new Setup(1, { metadataTimeoutMs: 1000 });
    producer.send('nowhere', { value: 'a' }, recorder.receipt('a'));
    await cluster.clock.advance(1100);
    expect(recorder.outcome('a')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await cluster.clock.advance(10_000);
    producer.send('nowhere', { value: 'b' }, recorder.receipt('b'));
    await cluster.clock.advance(500);
    expect(recorder.outcome('b')).toBe('nothing yet');
    cluster.createTopic('nowhere', 1);
    await cluster.clock.run(producer.flush());
    expect(recorder.outcome('b')).toBe('acked');
  });

  it('takes its records in order once it is created', async () => {
    const { cluster, producer, recorder } = new Setup();
    const values = numbered(50);
    for (const value of values) producer.send('late', { value, partition: 0 }, recorder.receipt(value));
    await cluster.clock.advance(3000);
    cluster.createTopic('late', 2);
    producer.send('late', { value: 'last', partition: 0 }, recorder.receipt('last'));
    await cluster.clock.run(producer.flush());
    expect(cluster.log('late', 0).values).toEqual([...values, 'last']);
  });

  it('keeps its own copy of bytes that wait', async () => {
    const { cluster, producer, recorder } = new Setup();
    const value = Buffer.from('mine');
    producer.send('late', { value }, recorder.receipt('a'));
    value.fill(0);
    cluster.createTopic('late', 1);
    await cluster.clock.run(producer.flush());
    expect(cluster.log('late', 0).values).toEqual(['mine']);
  });

  it('keeps its own copy of headers that wait', async () => {
    const { cluster, producer, recorder } = new Setup();
    const value = Buffer.from('mine');
    const headers: [string, Buffer][] = [['a', value]];
    producer.send('late', { value: 'v', headers }, recorder.receipt('a'));
    value.fill(0);
    headers.push(['b', value]);
    cluster.createTopic('late', 1);
    await cluster.clock.run(producer.flush());
    expect(recorder.outcome('a')).toBe('acked');
    const records = cluster.produced[0]!.body.topicData[0]!.partitionData[0]!.records as Buffer;
    expect(records.includes(Buffer.from('mine'))).toBe(true);
  });

  it('fails the record that its partitioner throws for, and sends those behind it', async () => {
    const partitioner = (key: unknown): number => {
      if (String(key) === 'b') throw new Error('no such customer');
      return 0;
    };
    const { cluster, producer, recorder } = new Setup(1, { partitioner });
    for (const id of ['a', 'b', 'c']) producer.send('late', { key: id, value: id }, recorder.receipt(id));
    cluster.createTopic('late', 1);
    await cluster.clock.run(producer.flush());
    expect(recorder.order.map((id) => recorder.outcome(id)).sort()).toEqual(['USAGE', 'acked', 'acked']);
    expect(recorder.error('b').message).toBe('A record for late was given no partition: no such customer');
    expect(cluster.log('late', 0).values).toEqual(['a', 'c']);
    expect(producer.counters.recordsFailed).toBe(1);
  });

  it('does not hold more than a partition may', () => {
    const { producer, recorder } = new Setup(1, { bufferBytes: 10_000 });
    let taken = 0;
    while (producer.send('nowhere', { value: 'x'.repeat(100) }, recorder.receipt(`${taken}`))) taken += 1;
    expect(taken).toBeLessThan(30);
    expect(producer.hasRoom('nowhere')).toBe(false);
    expect(producer.hasRoom(TOPIC)).toBe(true);
  });

  it('does not ask the cluster more often than the backoff allows', async () => {
    const { cluster, producer, recorder } = new Setup();
    producer.send('nowhere', { value: 'a' }, recorder.receipt('a'));
    await cluster.clock.advance(10_000);
    expect(cluster.refreshes).toBeGreaterThan(8);
    expect(cluster.refreshes).toBeLessThan(20);
    await cluster.clock.advance(10_000);
    const after = cluster.refreshes;
    await cluster.clock.advance(10_000);
    expect(cluster.refreshes).toBe(after);
  });
});

describe('a partition that does not exist', () => {
  it('fails its records after metadataTimeoutMs and no others', async () => {
    const setup = new Setup(2);
    setup.send(['a'], 7);
    setup.send(['b'], 1);
    await setup.cluster.clock.advance(1000);
    expect(setup.outcomes(['a', 'b'])).toEqual(['nothing yet', 'acked']);
    await setup.cluster.clock.advance(15_000);
    expect(setup.outcomes(['a'])).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(setup.recorder.error('a').message).toContain(`${TOPIC}-7`);
  });

  it('takes them when it is added in time', async () => {
    const setup = new Setup(2);
    setup.send(['a', 'b'], 3);
    await setup.cluster.clock.advance(5000);
    setup.cluster.createTopic(TOPIC, 4, ID);
    setup.send(['c'], 3);
    await setup.drain();
    expect(setup.values(3)).toEqual(['a', 'b', 'c']);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 40])('refuses %d as an index', (partition) => {
    const setup = new Setup(2);
    expect(() => setup.send(['a'], partition)).toThrow(UsageError);
  });
});

describe('a topic that is deleted', () => {
  it('fails what waits for it within metadataTimeoutMs', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.deleteTopic(TOPIC);
    setup.cluster.faults = numbered(100).map(() => 3);
    setup.send(['a']);
    await setup.cluster.clock.advance(17_000);
    expect(setup.recorder.outcome('a')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('and created again fails what was meant for the old one, and then goes on', async () => {
    const setup = new Setup(2);
    await setup.warmUp(0);
    await setup.warmUp(1);
    setup.cluster.recreateTopic(TOPIC, 2, OTHER_ID);
    setup.send(['a', 'b'], 0);
    setup.send(['c'], 1);
    await setup.drain();
    expect(setup.outcomes(['a', 'b', 'c'])).toEqual([
      'UNKNOWN_TOPIC_ID',
      'UNKNOWN_TOPIC_ID',
      'UNKNOWN_TOPIC_ID',
    ]);
    expect(setup.recorder.error('a')).toMatchObject({ retriable: false });
    setup.send(['d'], 0);
    await setup.drain();
    expect(setup.values(0)).toEqual(['d']);
  });
});

describe('a topic that is created again', () => {
  it('is written to under another epoch, for what went to the old one by name may be in the new one', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    setup.cluster.recreateTopic(TOPIC, 1, OTHER_ID);
    await setup.cluster.clock.run(setup.cluster.refresh([TOPIC]));
    setup.send(['a']);
    await setup.drain();
    const numbers = [...setup.cluster.log(TOPIC, 0).offered.keys()].map((key) => key.split('/').slice(1));
    expect(numbers).toEqual([['1', '0']]);
    expect(setup.values(0)).toEqual(['a']);
  });

  it('leaves no timer of the old one behind', async () => {
    const setup = new Setup(1, { lingerMs: 60_000 });
    await setup.warmUp();
    setup.send(['a']);
    await setup.cluster.clock.settle();
    setup.cluster.recreateTopic(TOPIC, 1, OTHER_ID);
    await setup.cluster.clock.run(setup.cluster.refresh([TOPIC]));
    await setup.cluster.clock.settle();
    expect(setup.outcomes(['a'])).toEqual(['UNKNOWN_TOPIC_ID']);
    await setup.cluster.clock.run(setup.producer.close());
    expect(setup.cluster.clock.pendingTimers).toBe(0);
  });
});

describe('how topics are named on the wire', () => {
  it('is by id where there is one', async () => {
    const setup = new Setup(1);
    await setup.warmUp();
    expect(setup.cluster.produced[0]).toMatchObject({ version: 13 });
  });

  it('is by name where a topic of the request has none', async () => {
    const setup = new Setup(1, {}, 'AAAAAAAAAAAAAAAAAAAAAA');
    await setup.warmUp();
    expect(setup.cluster.produced[0]).toMatchObject({ version: 12 });
  });
});
