// Connections that break under an idempotent producer with five batches in flight: no loss, no double, order per partition, true offsets.
import { describe, expect, it } from '@jest/globals';
import { Kafka } from '../../src/index.ts';
import { brokers, short, testKafka, uniqueName } from '../helpers/brokers.ts';
import { CuttingTransport, readAll } from '../rows/support/producing.ts';

const RECORDS = short ? 40_000 : 200_000;
const CUTS = 20;
const PARTITIONS = 3;

describe('an idempotent producer', () => {
  it(`of ${RECORDS} records loses and doubles none over ${CUTS} broken connections`, async () => {
    const plain = testKafka();
    const topic = uniqueName('cuts');
    await plain.admin().createTopics([{ name: topic, partitions: PARTITIONS }]);
    const transport = new CuttingTransport();
    const kafka = new Kafka({ brokers: brokers! }, { transport });
    const producer = kafka.producer({ batchBytes: 8_000, retryBackoffMs: 5, retryBackoffMaxMs: 50 });
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      await producer.sendAsync(topic, { value: 'first', partition });
    const offsets = new Array<number>(RECORDS).fill(-2);
    const failures: unknown[] = [];
    const receipt = {
      onAcked: (_partition: number, offset: number, _timestamp: number, at: number) =>
        void (offsets[at] = offset),
      onFailed: (error: unknown) => void failures.push(error),
    };
    for (let at = 0; at < RECORDS; at += 1) {
      if (at % (RECORDS / CUTS) === 0) transport.arm(transport.left + 1);
      const room = producer.send(topic, { value: String(at), partition: at % PARTITIONS }, receipt, at);
      if (!room || at % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await producer.close();
    await kafka.close();
    expect(transport.left).toBe(0);
    expect(failures).toEqual([]);
    expect(producer.counters.retries).toBeGreaterThan(0);
    const log = await readAll(plain, topic);
    expect(log).toHaveLength(RECORDS + PARTITIONS);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const records = log.filter((record) => record.partition === partition && record.value !== 'first');
      const expected = Array.from({ length: records.length }, (_, n) => n * PARTITIONS + partition);
      expect(records.map(({ value }) => Number(value))).toEqual(expected);
      const told = records.map(({ value }) => offsets[Number(value)]!);
      expect(told.every((offset, n) => offset === records[n]!.offset || offset === -1)).toBe(true);
    }
    expect(offsets.filter((offset) => offset === -1).length).toBe(0);
    await plain.admin().deleteTopics([topic]);
    await plain.close();
  });
});
