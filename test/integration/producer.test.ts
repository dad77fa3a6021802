// What a producer promises, kept by a real broker: order, no loss and no double when answers are lost, and what becomes of refused batches.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/core/client.ts';
import { openPartitions } from '../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../src/core/consumer/partition-reader.ts';
import type { Transport, Wire } from '../../src/core/network/transport.ts';
import { tcpTransport } from '../../src/core/network/transport.ts';
import type { ProducerOptions } from '../../src/core/producer/options.ts';
import type { Producer } from '../../src/core/producer/producer.ts';
import { Recorder } from '../core/producer/recorder.ts';
import { isKafka39 } from '../helpers/brokers.ts';
import { topicReady } from '../helpers/topic-ready.ts';

const brokers = process.env['KAFKA_BROKERS']?.split(',');
const withBroker = brokers === undefined ? describe.skip : describe;

/** TCP whose answers get lost: as long as `cuts` is above 0, every third arrival of bytes ends its connection instead of being delivered. */
class CuttingTransport implements Transport {
  cuts = 0;
  private arrivals = 0;

  connect(...[address, events]: Parameters<Transport['connect']>): Wire {
    const wire: Wire = tcpTransport.connect(address, {
      onOpen: () => events.onOpen(),
      onDrain: () => events.onDrain(),
      onClose: (cause) => events.onClose(cause),
      onData: (chunk) => {
        this.arrivals += 1;
        if (this.cuts === 0 || this.arrivals % 3 > 0) {
          events.onData(chunk);
          return;
        }
        this.cuts -= 1;
        wire.destroy();
      },
    });
    return wire;
  }
}

function valuesOf(reader: PartitionReader): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const values: string[] = [];
    reader.start({
      onRecord(record, sequence) {
        if (record.offset !== values.length)
          reject(new Error(`offset ${record.offset} after ${values.length} records`));
        values.push(String(record.value));
        reader.settle(sequence);
      },
      onPressure() {},
      onEnd: () => resolve(values),
      onError: reject,
    });
  });
}

withBroker('a producer on a real broker', () => {
  const transport = new CuttingTransport();
  let kafka: Kafka;
  const topics: string[] = [];

  beforeAll(() => {
    kafka = new Kafka({ brokers: brokers!, allowAutoTopicCreation: false }, { transport });
  });
  afterAll(async () => {
    await kafka.admin().deleteTopics(topics);
    await kafka.close();
  });

  async function topic(partitions: number, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `producer-${randomUUID()}`;
    topics.push(name);
    await kafka.admin().createTopics([{ name, partitions, replicationFactor: 1, configs }]);
    await topicReady(kafka, name, partitions);
    return name;
  }

  async function read(name: string): Promise<string[][]> {
    const open = await openPartitions(kafka.cluster, { topic: name, from: 'earliest', to: 'latest' });
    const values = await Promise.all(open.readers.map(valuesOf));
    open.close();
    return values;
  }

  async function withProducer(
    options: ProducerOptions,
    use: (producer: Producer) => Promise<void> | void,
  ): Promise<Producer> {
    const producer = kafka.producer(options);
    await use(producer);
    await producer.close();
    return producer;
  }

  it('writes 100,000 records to 3 partitions: all there, in order, at the offsets told', async () => {
    const name = await topic(3);
    const recorder = new Recorder();
    const sent: string[][] = [[], [], []];
    await withProducer({ bufferBytes: 1_000_000 }, async (producer) => {
      for (let n = 0; n < 100_000; n += 1) {
        const value = `value ${n}`;
        const partition = (n * 7) % 3;
        sent[partition]!.push(value);
        if (producer.send(name, { value, partition }, recorder.receipt(value))) continue;
        await new Promise<void>((resolve) => {
          const off = producer.onReady(() => {
            if (!producer.hasRoom(name)) return;
            off();
            resolve();
          });
        });
      }
    });
    expect(await read(name)).toEqual(sent);
    expect(recorder.twice).toBe(0);
    sent.forEach((values, partition) => {
      values.forEach((value, offset) => {
        const fate = recorder.fates.get(value);
        if (fate?.kind !== 'acked' || fate.partition !== partition || fate.offset !== offset)
          throw new Error(
            `${value} is at ${partition}/${offset}, but its receipt says ${JSON.stringify(fate)}`,
          );
      });
    });
  }, 300_000);

  it('loses and doubles nothing when 50 answers are lost', async () => {
    const name = await topic(3);
    const recorder = new Recorder();
    const sent: string[][] = [[], [], []];
    const producer = await withProducer(
      { batchBytes: 2000, retryBackoffMs: 1, retryBackoffMaxMs: 20 },
      async (made) => {
        transport.cuts = 50;
        for (let n = 0; transport.cuts > 0 || n < 20_000; n += 1) {
          const value = `value ${n}`;
          const partition = n % 3;
          sent[partition]!.push(value);
          made.send(name, { value, partition }, recorder.receipt(value));
          if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await made.flush();
      },
    );
    expect(producer.counters.retries).toBeGreaterThan(10);
    expect(producer.counters.recordsFailed).toBe(0);
    expect(await read(name)).toEqual(sent);
    sent.forEach((values, partition) => {
      values.forEach((value, offset) => {
        const fate = recorder.fates.get(value);
        if (
          fate?.kind !== 'acked' ||
          fate.partition !== partition ||
          (fate.offset !== offset && fate.offset !== -1)
        )
          throw new Error(
            `${value} is at ${partition}/${offset}, but its receipt says ${JSON.stringify(fate)}`,
          );
      });
    });
  }, 300_000);

  it('splits batches for a topic with a small limit, and refuses the record that passes it alone', async () => {
    const name = await topic(1, { 'max.message.bytes': '5000' });
    const recorder = new Recorder();
    const small = Array.from({ length: 2000 }, (_, n) => `value ${n}`);
    const large = 'x'.repeat(6000);
    const producer = await withProducer({}, (made) => {
      for (const value of [...small.slice(0, 1000), large, ...small.slice(1000)])
        made.send(name, { value }, recorder.receipt(value));
    });
    expect(await read(name)).toEqual([small]);
    expect(producer.counters.splits).toBeGreaterThan(0);
    expect(recorder.outcome(large)).toBe('MESSAGE_TOO_LARGE');
    expect(recorder.ids('acked')).toEqual(small);
  });

  it('fails a batch the broker refuses for good, and those behind it arrive under the next epoch', async () => {
    const name = await topic(1, { 'cleanup.policy': 'compact' });
    const recorder = new Recorder();
    const producer = await withProducer({ batchBytes: 100 }, async (made) => {
      for (let n = 0; n < 40; n += 1) {
        const value = `a value of some length, number ${n}`;
        // A compacted topic takes no record without a key.
        made.send(
          name,
          n === 10 || n === 23 ? { value } : { key: `k${n}`, value },
          recorder.receipt(String(n)),
        );
        if (n === 5) await made.flush();
      }
    });
    const numbers = Array.from({ length: 40 }, (_, n) => String(n));
    const failed = numbers.filter((n) => recorder.outcome(n) === 'INVALID_RECORD');
    expect(failed).toEqual(expect.arrayContaining(['10', '23']));
    expect(failed.length).toBeLessThan(6);
    expect(recorder.ids('acked')).toEqual(numbers.filter((n) => !failed.includes(n)));
    expect((await read(name))[0]!.map((value) => value.split(' ').at(-1))).toEqual(recorder.ids('acked'));
    expect(producer.counters.epochBumps).toBe(2);
  });

  it('tells the time of the append where the topic stamps records', async () => {
    const name = await topic(1, { 'message.timestamp.type': 'LogAppendTime' });
    await withProducer({}, async (producer) => {
      const before = Date.now();
      const { timestamp } = await producer.sendAsync(name, { value: 'a', timestamp: 1000 });
      expect(Math.abs(timestamp - before)).toBeLessThan(30_000);
    });
  });

  it('fails the records of a topic that does not exist within metadataTimeoutMs', async () => {
    await withProducer({ metadataTimeoutMs: 1500 }, async (producer) => {
      const started = performance.now();
      const sent = producer.sendAsync(`no-${randomUUID()}`, { value: 'a' });
      await expect(sent).rejects.toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
      expect(performance.now() - started).toBeLessThan(30_000);
    });
  });

  it('fails what was meant for a topic that was deleted and created again, and then goes on', async () => {
    const name = await topic(1);
    await withProducer({}, async (producer) => {
      await producer.sendAsync(name, { value: 'old' });
      const other = new Kafka({ brokers: brokers! });
      await other.admin().deleteTopics([name]);
      for (;;) {
        const created = await other
          .admin()
          .createTopics([{ name, partitions: 1, replicationFactor: 1 }])
          .then(
            () => true,
            () => false,
          );
        if (created) break;
      }
      // The controller answers before the broker has let go of the old log, which would still take a record.
      for (;;) {
        const [end] = await other
          .admin()
          .listOffsets(name, 'latest')
          .catch(() => []);
        if (end?.offset === 0) break;
      }
      await other.close();
      // Kafka 3.9 takes records by a topic's name, and so cannot tell.
      if (!isKafka39) {
        await expect(producer.sendAsync(name, { value: 'between' })).rejects.toMatchObject({
          errorName: 'UNKNOWN_TOPIC_ID',
        });
      }
      expect(await producer.sendAsync(name, { value: 'new' })).toMatchObject({ offset: 0 });
    });
    expect(await read(name)).toEqual([['new']]);
  }, 300_000);
});
