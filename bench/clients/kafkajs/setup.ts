// What the works of kafkajs share.
import { CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { task } from '../run-task.ts';
import { values } from '../values.ts';

const BATCH_BYTES = 200_000;

export const CALLS_IN_FLIGHT = 3;

export const batchRecords = Math.ceil(BATCH_BYTES / task.valueBytes);
export const pool = values(task.valueBytes, task.valueKind);
export const kafka = new Kafka({
  clientId: 'bench',
  brokers: [...task.brokers],
  logLevel: logLevel.ERROR,
});
let connecting: Promise<Producer> | undefined;

export function producer(): Promise<Producer> {
  connecting ??= connect();
  return connecting;
}

async function connect(): Promise<Producer> {
  const created = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await created.connect();
  return created;
}

/** Sends and waits for the acknowledgements of all in-sync replicas. */
export async function sendAll(topic: string, messages: { value: Buffer | string }[]): Promise<void> {
  const topicMessages = [{ topic, messages }];
  await (await producer()).sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
}

export async function close(): Promise<void> {
  await (await connecting)?.disconnect();
}
