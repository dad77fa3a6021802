// What is measured.
import type { ValueKind, Work } from '../clients/task.ts';

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Clients do the first of these that they can. */
  readonly works: readonly Work[];
  readonly valueKind: ValueKind;
  readonly valueBytes: number;
  readonly partitions: number;
  /** Times the records of the run. */
  readonly share: number;
  readonly clients: readonly string[];
}

const PRODUCERS = [
  'sluice',
  'sluice-linger-10',
  'probe',
  'franz-go',
  'franz-go-linger-10',
  'sarama',
  'sarama-linger-10',
  'kafkajs',
];
const CONSUMERS = [
  'sluice',
  'sluice-read',
  'probe',
  'franz-go',
  'franz-go-read',
  'sarama',
  'sarama-read',
  'kafkajs',
];

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'produce-100b',
    title: 'Produce, 100 B',
    works: ['produce'],
    valueKind: 'random',
    valueBytes: 100,
    partitions: 3,
    share: 1,
    clients: PRODUCERS,
  },
  {
    name: 'consume-100b',
    title: 'Consume, 100 B',
    works: ['consume', 'read'],
    valueKind: 'random',
    valueBytes: 100,
    partitions: 3,
    share: 2,
    clients: CONSUMERS,
  },
];
