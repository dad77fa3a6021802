import type { Kafka } from '../../src/index.ts';
import { until } from './until.ts';

/** Waits until the brokers know all of a new topic, or of one that has grown, and lead it: the controller answers before they do. */
export async function topicReady(kafka: Kafka, name: string, partitions: number): Promise<void> {
  const admin = kafka.admin();
  await until(`${name} has ${partitions} partitions with leaders`, async () => {
    const offsets = await admin.listOffsets(name, 'latest').catch(() => []);
    return offsets.length === partitions;
  });
}
