// Partitions read without a group, with everything noted that they hand over.
import type { Kafka } from '../../../src/index.ts';
import {
  openPartitions,
  type OpenOptions,
  type OpenPartitions,
} from '../../../src/core/consumer/open-partitions.ts';
import type { PartitionReader } from '../../../src/core/consumer/partition-reader.ts';
import type { FetchedRecord } from '../../../src/core/records/fetched-record.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { topicReady } from '../../helpers/topic-ready.ts';

/** What one partition handed over. */
export class Seen {
  readonly reader: PartitionReader;
  readonly offsets: number[] = [];
  readonly values: (string | null)[] = [];
  errors: KafkaError[] = [];
  ended = false;
  /** Settles each record at once unless told otherwise. */
  onRecord: (sequence: number, record: FetchedRecord) => void;

  constructor(reader: PartitionReader) {
    this.reader = reader;
    this.onRecord = (sequence) => reader.settle(sequence);
    reader.start({
      onRecord: (record, sequence) => {
        this.offsets.push(record.offset);
        this.values.push(record.valueText);
        this.onRecord(sequence, record);
      },
      onPressure: () => undefined,
      onEnd: () => {
        this.ended = true;
      },
      onError: (error) => this.errors.push(error),
    });
  }
}

export interface Reading extends OpenPartitions {
  readonly seen: readonly Seen[];
}

/** Opens and starts readers. */
export async function startReading(kafka: Kafka, options: OpenOptions): Promise<Reading> {
  const open = await openPartitions(kafka.cluster, options);
  return { ...open, seen: open.readers.map((reader) => new Seen(reader)) };
}

export const span = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

/** Writes `count` values 'v<n>', numbered from `from`, into one partition. */
export async function write(
  kafka: Kafka,
  topic: string,
  from: number,
  count: number,
  partition = 0,
  sizeBytes = 0,
): Promise<void> {
  const producer = kafka.producer();
  await Promise.all(
    span(from, count).map((n) =>
      producer.sendAsync(topic, { value: `v${n}`.padEnd(sizeBytes, '.'), partition }),
    ),
  );
  await producer.close();
}

export async function createTopic(
  kafka: Kafka,
  name: string,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
  replicationFactor = 1,
): Promise<string> {
  await kafka.admin().createTopics([{ name, partitions, replicationFactor, configs }]);
  await topicReady(kafka, name, partitions);
  return name;
}
