// Each helper once as it holds and once as it does not, with the message it fails with.
import { describe, expect, it } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { BrokerError } from '../../../src/errors.ts';
import type { PartitionReader } from '../../../src/core/index.ts';
import {
  openPartitions,
  type FetchedRecord,
  type Kafka,
  type OpenOptions,
  type OpenReadersFunction,
  type RecordReader,
} from '../../../src/core/index.ts';
import { MockConsumer, type MockPartition } from '../../../src/testing/index.ts';

/** Code under test: collects what it reads, settling each record, until an end or an error. */
class Collector {
  readonly seen: string[] = [];
  readonly sequences: number[] = [];
  readonly events: string[] = [];
  reader!: RecordReader;
  settles = true;

  async open(open: OpenReadersFunction, options: OpenOptions): Promise<this> {
    const { readers } = await open(options);
    for (const reader of readers) {
      this.reader = reader;
      reader.start({
        onRecord: (record: FetchedRecord, sequence) => {
          this.seen.push(
            `${record.topic}-${record.partition}@${record.offset} ${record.keyText} ${record.valueText}`,
          );
          this.sequences.push(sequence);
          if (this.settles) reader.settle(sequence);
        },
        onPressure: () => this.events.push('pressure'),
        onEnd: () => this.events.push('end'),
        onError: (error) => this.events.push(error.message),
      });
    }
    await later();
    return this;
  }
}

const later = async (): Promise<void> => {
  for (let at = 0; at < 3; at++) await Promise.resolve();
};

async function failure(consumer: MockConsumer): Promise<string | undefined> {
  try {
    await consumer.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const from = 'earliest';

describe('MockConsumer', () => {
  it('takes the place of openPartitions', () => {
    const real =
      (kafka: Kafka): OpenReadersFunction =>
      (options) =>
        openPartitions(kafka.cluster, options);
    expectTypeOf(real).returns.toEqualTypeOf<OpenReadersFunction>();
    expectTypeOf<PartitionReader>().toExtend<RecordReader>();
    expectTypeOf<MockPartition>().toExtend<RecordReader>();
    expectTypeOf<MockConsumer['open']>().toExtend<OpenReadersFunction>();
  });

  it('expectPartition, yieldRecord: hands records over, in order, under their offsets', async () => {
    const consumer = new MockConsumer();
    const orders = consumer.expectPartition('orders', 0, 5);
    orders.yieldRecord({ key: 'a', value: '1' }).yieldRecord({ value: null, offset: 9 });
    const collector = await new Collector().open(consumer.open, { topic: 'orders', from: 5 });
    orders.yieldRecord({ key: 'b', value: '2', headers: { h: 'x' }, timestamp: 7 });
    await later();
    expect(collector.seen).toEqual(['orders-0@5 a 1', 'orders-0@9 null null', 'orders-0@10 b 2']);
    expect(orders.commitPoint()).toEqual({ offset: 11, leaderEpoch: 0, metadata: '' });
    expect([orders.highWatermark, orders.lag, orders.startOffset]).toEqual([11, 0, 5]);
    expect(() => orders.yieldRecord({ offset: 3 })).toThrow(
      'orders-0: a record at offset 3 cannot follow; the next is at 11 or later',
    );
    expect(await failure(consumer)).toBeUndefined();
  });

  it('expectPartition: opened elsewhere, twice, unasked, or never', async () => {
    const consumer = new MockConsumer();
    consumer.expectPartition('orders', 0, 5);
    consumer.expectPartition('orders', 1);
    consumer.expectPartition('refunds', 0);
    const { open } = consumer;
    await expect(open({ topic: 'orders', partitions: [0], from })).rejects.toThrow(
      "MockConsumer: orders-0 is opened at 'earliest', not at 5",
    );
    await open({ topic: 'orders', partitions: [1], from: { timestamp: 4 } });
    await expect(open({ topic: 'orders', partitions: [1], from })).rejects.toThrow('opened a second time');
    await expect(open({ topic: 'orders', partitions: [2], from })).rejects.toThrow('orders-2 is opened');
    await expect(open({ topic: 'users', from })).rejects.toThrow('no partition of it is expected');
    expect(() => consumer.expectPartition('orders', 1)).toThrow('orders-1 is expected already');
    expect(await failure(consumer)).toBe(
      [
        'MockConsumer: not all was as expected',
        "  orders-0 is opened at 'earliest', not at 5",
        '  orders-1 is opened a second time',
        '  orders-2 is opened, and was not expected',
        '  users is opened, and no partition of it is expected',
        '  orders-0 was not opened',
        '  refunds-0 was not opened',
      ].join('\n'),
    );
  });

  it('yieldError: told behind the records before it, and nothing comes after it until a seek', async () => {
    const consumer = new MockConsumer();
    const orders = consumer.expectPartition('orders', 0).expectErrorsDrainedOnClose();
    orders
      .yieldRecord({ value: '1' })
      .yieldError(new BrokerError('OFFSET_OUT_OF_RANGE', 'gone', { retriable: false }));
    const collector = await new Collector().open(consumer.open, { topic: 'orders', from });
    orders.yieldRecord({ value: '2' });
    await later();
    expect([collector.seen, collector.events]).toEqual([['orders-0@0 null 1'], ['gone']]);
    collector.reader.seek(0);
    await later();
    expect(collector.seen).toEqual(['orders-0@0 null 1', 'orders-0@0 null 1', 'orders-0@1 null 2']);
    expect(await failure(consumer)).toBeUndefined();
  });

  it('expectErrorsDrainedOnClose: an error that nobody was told', async () => {
    const consumer = new MockConsumer();
    const orders = consumer.expectPartition('orders', 0).expectErrorsDrainedOnClose();
    orders.yieldError(new BrokerError('OFFSET_OUT_OF_RANGE', 'gone', { retriable: false }));
    await consumer.open({ topic: 'orders', from });
    expect(await failure(consumer)).toContain('\n  orders-0: 1 of the errors it yielded were not told');
  });

  it('expectRecordsDrainedOnClose: all handed over, or not', async () => {
    const run = async (pauses: boolean): Promise<string | undefined> => {
      const consumer = new MockConsumer();
      const orders = consumer.expectPartition('orders', 0).expectRecordsDrainedOnClose();
      const collector = await new Collector().open(consumer.open, { topic: 'orders', from });
      if (pauses) collector.reader.pause();
      orders.yieldRecord({ value: '1' }).yieldRecord({ value: '2' });
      return failure(consumer);
    };
    expect(await run(false)).toBeUndefined();
    expect(await run(true)).toBe(
      'MockConsumer: not all was as expected\n  orders-0: 2 of the records it yielded were not handed over',
    );
  });

  it('expectSettledOnClose: all settled, or not; the commit point follows', async () => {
    const run = async (settled: readonly number[]): Promise<string | undefined> => {
      const consumer = new MockConsumer();
      const orders = consumer.expectPartition('orders', 0).expectSettledOnClose();
      orders.yieldRecord({ value: '1', leaderEpoch: 3 }).yieldRecord({ value: '2', leaderEpoch: 4 });
      const collector = new Collector();
      collector.settles = false;
      await collector.open(consumer.open, { topic: 'orders', from });
      expect(orders.commitPoint()).toEqual({ offset: 0, leaderEpoch: -1, metadata: '' });
      for (const sequence of settled) orders.settle(collector.sequences[sequence]!);
      expect(orders.isSettled(0)).toBe(settled.includes(0));
      return failure(consumer);
    };
    expect(await run([1, 0])).toBeUndefined();
    expect(await run([0])).toBe(
      'MockConsumer: not all was as expected\n  orders-0: 1 records are not settled, the first at offset 1',
    );
  });

  it('keeps to the credit, to the end that was asked for, and to pauses', async () => {
    const consumer = new MockConsumer();
    const orders = consumer.expectPartition('orders', 0);
    for (const value of ['1', '2', '3', '4', '5']) orders.yieldRecord({ value });
    const collector = new Collector();
    collector.settles = false;
    await collector.open(consumer.open, { topic: 'orders', from, to: 4, credit: { records: 2 } });
    expect([collector.seen.length, collector.events, orders.inFlightRecords]).toEqual([2, ['pressure'], 2]);
    orders.hold(0);
    await later();
    expect([collector.seen.length, orders.inFlightRecords, orders.unsettledCount]).toEqual([3, 2, 3]);
    const idle = orders.whenIdle();
    const settled = orders.whenSettled();
    for (let sequence = 1; sequence < 4; sequence++) {
      orders.settle(sequence);
      await later();
    }
    expect([collector.seen.length, collector.events.at(-1)]).toEqual([4, 'end']);
    await idle;
    expect(orders.firstUnsettled()).toBe(0);
    orders.settle(0);
    await settled;
    expect(orders.commitPoint().offset).toBe(4);
    await consumer.close();
  });

  it('ends at what was yielded before, where the end is the latest', async () => {
    const consumer = new MockConsumer();
    consumer.expectPartition('orders', 0).yieldRecord({ value: '1' });
    const collector = await new Collector().open(consumer.open, { topic: 'orders', from, to: 'latest' });
    expect(collector.events).toEqual(['end']);
    const waiting = collector.reader.whenSettled();
    await waiting;
    expect(() => collector.reader.start({} as never)).toThrow('was started already');
    await consumer.close();
  });
});
