// What the works of kafkajs share.
import kafkajs, { CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import snappy from 'kafkajs-snappy';
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
const { compression = 'none' } = task;
// Those that kafkajs has, and has a package for that builds nothing.
const types: Partial<Record<string, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
};
const type = types[compression];
kafkajs.CompressionCodecs[CompressionTypes.Snappy] = snappy;
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
  if (type === undefined) throw new Error(`kafkajs has no ${compression}`);
  await (await producer()).sendBatch({ acks: -1, compression: type, topicMessages });
}

export async function close(): Promise<void> {
  await (await connecting)?.disconnect();
}
