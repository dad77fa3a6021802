// The broker that the tests of this run were given, and names of their own on it.
import { Kafka, type KafkaOptions } from '../../src/index.ts';

/** `host:port` of the chosen broker; undefined when the run has none. */
export const brokers: readonly string[] | undefined = process.env['KAFKA_BROKERS']
  ?.split(',')
  .filter((name) => name !== '');

/** True when it is a Kafka of before 4.0, which lacks some versions of our APIs. */
export const isKafka39 = process.env['SLUICE_BROKER'] === '3.9';

let names = 0;

/** A name nobody else uses. */
export function uniqueName(base: string): string {
  return `${base}-${Date.now().toString(36)}-${process.pid}-${names++}`;
}

/** A client of the chosen broker. */
export function testKafka(options: Partial<KafkaOptions> = {}): Kafka {
  if (brokers === undefined) throw new Error('there is no broker in this run');
  return new Kafka({ brokers, ...options });
}

/** True in the short form of the fault runs. */
export const short = process.env['SLUICE_FAULTS'] === 'short';
