// Row C-06: what idle partitions cost on the wire. sarama names each of them in each request; here a fetch session names none. A thousand, and
// the processor time, in the long runs.
import { afterAll, describe, expect, it } from '@jest/globals';
import { brokers, testKafka, uniqueName } from '../helpers/brokers.ts';
import { idleJava, idleReader } from './support/idle.ts';
import { createTopic } from './support/reading.ts';

const lib = process.env['KAFKA_LIB'];
const PARTITIONS = 100;

(brokers === undefined || lib === undefined ? describe.skip : describe)('C-06: idle partitions', () => {
  const kafka = testKafka();
  const topic = uniqueName('c06');
  afterAll(async () => {
    await kafka.admin().deleteTopics([topic]);
    await kafka.close();
  });

  it('cost at most 1.2 times the bytes that they cost with the Java consumer', async () => {
    await createTopic(kafka, topic, PARTITIONS);
    const [ours, java] = await Promise.all([
      idleReader(topic, 1_500, 4_000),
      idleJava(lib!, topic, 1_500, 4_000),
    ]);
    expect([ours.partitions, java.partitions]).toEqual([PARTITIONS, PARTITIONS]);
    expect(ours.bytesPerSecond).toBeLessThanOrEqual(1.2 * java.bytesPerSecond);
    expect(java.bytesPerSecond).toBeLessThan(2_000);
  });
});
