// The cluster that is measured against: the one KAFKA_BROKERS names, else a real Kafka started from its jars.
import { javaAnswers, KAFKA_VERSION, kafkaLib } from '../../test/helpers/kafka/jars.ts';
import { startRealKafka } from '../../test/helpers/kafka/real-kafka.ts';

const HEAP_MIB = 1024;

/** Calls `use` with the brokers and a line about them, and stops what it started. */
export async function withBrokers<R>(
  use: (brokers: readonly string[], kind: string) => Promise<R>,
): Promise<R> {
  const named = process.env['KAFKA_BROKERS'];
  if (named !== undefined && named !== '') return use(named.split(','), 'Kafka at KAFKA_BROKERS');
  const lib = javaAnswers() ? kafkaLib() : undefined;
  if (lib === undefined)
    throw new Error('The bench needs a real Kafka: set KAFKA_BROKERS, or install Java 17 and Maven.');
  const kafka = await startRealKafka({
    lib,
    heapMb: HEAP_MIB,
    // Deleted topics leave the disk at once; a run writes gigabytes.
    properties: { 'log.segment.delete.delay.ms': '1000' },
  });
  try {
    return await use(kafka.bootstrap, `Kafka ${KAFKA_VERSION}, one broker on loopback`);
  } finally {
    await kafka.stop();
  }
}
