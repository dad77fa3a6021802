// How code that uses the core directly is tested: with doubles that expect, in order, what it is to do.
//   npx tsx examples/03-test-with-doubles.ts
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OpenReadersFunction, RecordProducer } from 'sluice/core';
import { MockConsumer, MockProducer } from 'sluice/testing';

/** Copies a partition up to its present end; with the real thing: `copy((options) => openPartitions(kafka.cluster, options), kafka.producer())`. */
async function copy(open: OpenReadersFunction, producer: RecordProducer): Promise<number> {
  const { readers, close } = await open({ topic: 'in', from: 'earliest', to: 'latest' });
  let copied = 0;
  for (const reader of readers) {
    await new Promise<void>((resolve, reject) => {
      reader.start({
        onRecord: (record, sequence) =>
          producer.send(
            'out',
            { key: record.key, value: record.value },
            {
              onAcked: () => {
                copied += 1;
                reader.settle(sequence);
              },
              onFailed: reject,
            },
          ),
        onPressure: () => undefined,
        onEnd: () => void reader.whenSettled().then(resolve, reject),
        onError: reject,
      });
    });
  }
  close();
  return copied;
}

await test('copies every record', async () => {
  await using consumer = new MockConsumer();
  await using producer = new MockProducer();
  const partition = consumer.expectPartition('in', 0, 'earliest').expectSettledOnClose();
  partition.yieldRecord({ key: 'a', value: '1' }).yieldRecord({ key: 'b', value: '2' });
  producer.expectSendAndSucceed({ topic: 'out', key: 'a', value: '1' });
  producer.expectSendAndSucceed(({ value }) => assert.equal(String(value), '2'));
  assert.equal(await copy(consumer.open, producer), 2);
  assert.equal(partition.commitPoint().offset, 2);
});

await test('gives up when a record cannot be written', async () => {
  const consumer = new MockConsumer();
  await using producer = new MockProducer();
  consumer.expectPartition('in', 0).expectSettledOnClose().yieldRecord({ value: '1' });
  producer.expectSendAndFail('MESSAGE_TOO_LARGE');
  await assert.rejects(copy(consumer.open, producer), { errorName: 'MESSAGE_TOO_LARGE' });
  // What a double complains about names the partition and the record.
  await assert.rejects(consumer.close(), /in-0: 1 records are not settled, the first at offset 0/);
});
