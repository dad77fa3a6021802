// What the works of ours share.
import { Kafka, sluice } from 'sluice';
import { task } from '../run-task.ts';
import { values } from '../values.ts';

export const pool = values(task.valueBytes, task.valueKind);
export const kafka = new Kafka({ brokers: task.brokers });
export const { toTopic, fromPartitions } = sluice(kafka, {
  producer: { lingerMs: task.lingerMs, compression: task.compression },
});
