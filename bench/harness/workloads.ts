// What is measured.
import type { Compression, ValueKind, Work } from '../clients/task.ts';

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Clients do the first of these that they can. */
  readonly works: readonly Work[];
  readonly valueKind: ValueKind;
  readonly valueBytes: number;
  readonly compression?: Compression;
  readonly partitions: number;
  /** Times the records of the run. */
  readonly share: number;
  readonly recordsPerSecond: number;
  /** The first is what the others are compared with. */
  readonly clients: readonly string[];
}

const base = { valueKind: 'random', valueBytes: 100, partitions: 3, share: 1, recordsPerSecond: 0 } as const;

const PEERS_PRODUCING = ['probe', 'franz-go', 'sarama', 'java', 'kafkajs', 'platformatic', 'node-rdkafka'];
const PRODUCING = ['sluice', ...PEERS_PRODUCING];
const PRODUCING_AT_BEST = [
  'sluice',
  'sluice-linger-10',
  'probe',
  'franz-go',
  'franz-go-linger-10',
  'sarama',
  'sarama-linger-10',
  'java',
  'java-linger-10',
  'java-tools',
  'kafkajs',
  'platformatic',
  'node-rdkafka',
];
const CONSUMING = [
  'sluice',
  'probe',
  'franz-go',
  'sarama',
  'java',
  'kafkajs',
  'platformatic',
  'node-rdkafka',
];
const CONSUMING_AND_READING = [
  'sluice',
  'sluice-read',
  'probe',
  'franz-go',
  'franz-go-read',
  'sarama',
  'sarama-read',
  'java',
  'java-tools',
  'kafkajs',
  'platformatic',
  'node-rdkafka',
];
const MANY = ['sluice', 'probe', 'franz-go', 'java', 'kafkajs'];
const AWAITING = ['sluice', 'java', 'kafkajs', 'platformatic'];

const producing = { ...base, works: ['produce'] } as const;
const consuming = { ...base, works: ['consume', 'read'], share: 2 } as const;

export const WORKLOADS: readonly Workload[] = [
  { ...producing, name: 'produce-100b', title: 'Produce, 100 B', clients: PRODUCING_AT_BEST },
  {
    ...producing,
    name: 'produce-1k',
    title: 'Produce, 1 KiB',
    valueBytes: 1024,
    share: 0.4,
    clients: PRODUCING,
  },
  {
    ...producing,
    name: 'produce-10k',
    title: 'Produce, 10 KiB',
    valueBytes: 10_240,
    share: 0.06,
    clients: PRODUCING,
  },
  {
    ...producing,
    name: 'produce-30p',
    title: 'Produce, 100 B, 30 partitions',
    partitions: 30,
    clients: MANY,
  },
  {
    ...producing,
    name: 'produce-300p',
    title: 'Produce, 100 B, 300 partitions',
    partitions: 300,
    clients: MANY,
  },
  { ...consuming, name: 'consume-100b', title: 'Consume, 100 B', clients: CONSUMING_AND_READING },
  {
    ...consuming,
    name: 'consume-1k',
    title: 'Consume, 1 KiB',
    valueBytes: 1024,
    share: 0.6,
    clients: CONSUMING,
  },
  {
    ...consuming,
    name: 'consume-10k',
    title: 'Consume, 10 KiB',
    valueBytes: 10_240,
    share: 0.12,
    clients: CONSUMING,
  },
  {
    ...consuming,
    name: 'consume-30p',
    title: 'Consume, 100 B, 30 partitions',
    partitions: 30,
    clients: MANY,
  },
  {
    ...consuming,
    name: 'consume-300p',
    title: 'Consume, 100 B, 300 partitions',
    partitions: 300,
    clients: MANY,
  },
  {
    ...consuming,
    name: 'consume-text',
    title: 'Consume, 100 B, as text',
    works: ['consume-text', 'consume'],
    clients: ['sluice', 'sluice-raw', 'kafkajs'],
  },
  {
    ...consuming,
    name: 'consume-json',
    title: 'Consume, 100 B, as JSON checked with a schema',
    works: ['consume-json', 'consume'],
    valueKind: 'json',
    share: 1,
    clients: ['sluice', 'sluice-raw', 'kafkajs'],
  },
  {
    ...base,
    name: 'pipe',
    title: 'Consume, process, produce, 100 B',
    works: ['pipe'],
    clients: ['sluice', 'java', 'kafkajs'],
  },
  {
    ...base,
    name: 'awaited',
    title: 'One awaited send at a time, 100 B',
    works: ['awaited'],
    share: 0.005,
    clients: AWAITING,
  },
  {
    ...base,
    name: 'steady',
    title: 'End to end at 10,000 records a second, 100 B',
    works: ['steady'],
    share: 0.1,
    recordsPerSecond: 10_000,
    clients: AWAITING,
  },
  {
    ...base,
    name: 'keyed',
    title: 'Consume, a stage of 1 ms per record, in order per key',
    works: ['keyed'],
    share: 0.06,
    clients: ['sluice', 'kafkajs'],
  },
  {
    ...base,
    name: 'files',
    title: 'Lines of files to a topic, 100 B',
    works: ['files'],
    clients: ['sluice', 'kafkajs'],
  },
];
