// Exactly once: a copier that is killed, and the broker under it.
import { describe, expect, it } from '@jest/globals';
import { openPartitions } from '../../src/core/consumer/open-partitions.ts';
import { Kafka } from '../../src/index.ts';
import { short, uniqueName } from '../helpers/brokers.ts';
import { javaAnswers, kafkaLib } from '../helpers/kafka/jars.ts';
import { startRealKafka } from '../helpers/kafka/real-kafka.ts';
import { readAll } from '../rows/support/producing.ts';
import { Child } from './support/child.ts';
import { standingOf } from './support/standing.ts';

const lib = javaAnswers() ? kafkaLib() : undefined;
const RECORDS = short ? 20_000 : 100_000;
const KILLS = short ? 1 : 3;
const PARTITIONS = 3;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

(lib === undefined ? describe.skip : describe)('an exactly-once copier', () => {
  it(`copies ${RECORDS} records once over ${KILLS} kills of its own and one of the broker`, async () => {
    const cluster = await startRealKafka({ lib: lib! });
    const brokers = cluster.bootstrap;
    const kafka = new Kafka({ brokers });
    const [input, output, groupId] = [uniqueName('eo-in'), uniqueName('eo-out'), uniqueName('eo')];
    const children: Child[] = [];
    try {
      await kafka.admin().createTopics([input, output].map((name) => ({ name, partitions: PARTITIONS })));
      const values = Array.from({ length: RECORDS }, (_, at) => String(at));
      const producer = kafka.producer();
      const receipt = { onAcked: () => undefined, onFailed: () => undefined };
      for (const [at, value] of values.entries())
        producer.send(input, { value, partition: at % PARTITIONS }, receipt);
      await producer.close();

      // Reads what is committed while it is being written.
      const seen: string[] = [];
      const open = await openPartitions(kafka.cluster, {
        topic: output,
        from: 'earliest',
        isolationLevel: 'read_committed',
      });
      for (const reader of open.readers)
        reader.start({
          onRecord: (record, sequence) => {
            seen.push(String(record.value));
            reader.settle(sequence);
          },
          onPressure: () => undefined,
          onEnd: () => undefined,
          onError: () => undefined,
        });

      const start = (): Child => {
        const child = new Child('exactly-once-copier.ts', {
          brokers,
          input,
          output,
          groupId,
          perTransaction: 750,
        });
        children.push(child);
        return child;
      };
      const hasGrown = async (child: Child, by: number): Promise<void> => {
        const from = seen.length;
        await child.poll(() => Promise.resolve(seen.length >= Math.min(RECORDS, from + by)));
      };
      let child = start();
      for (let kill = 0; kill < KILLS; kill += 1) {
        await hasGrown(child, RECORDS / (KILLS + 3));
        await child.kill();
        child = start();
      }
      await hasGrown(child, RECORDS / (KILLS + 3));
      await cluster.restart(0);
      await child.poll(
        () => Promise.resolve(seen.length >= RECORDS),
        300_000,
        async () => ({ seen: seen.length, ...(await standingOf(kafka, { input, output, groupId })) }),
      );
      await pause(1_000);
      expect(await child.kill('SIGTERM')).toBe(0);
      open.close();

      const log = await readAll(kafka, output, 'read_committed');
      expect(log).toHaveLength(RECORDS);
      expect(new Set(log.map(({ value }) => value)).size).toBe(RECORDS);
      expect([...seen].sort()).toEqual([...values].sort());
      // What was on partition 0 is on partition 0 in its order, whatever came between.
      const ordered = log
        .filter(({ partition, value }) => partition === 0 && Number(value) % PARTITIONS === 0)
        .map(({ value }) => Number(value));
      expect(ordered).toEqual(values.map(Number).filter((value) => value % PARTITIONS === 0));
    } finally {
      for (const child of children) await child.kill().catch(() => undefined);
      await kafka.close();
      await cluster.stop();
    }
  });
});
