// Everyone who takes part.
import type { Client } from './client.ts';

export const OURS = 'sluice';

/** What the clients with a program for each flow can do. */
const EVERY_FLOW = [
  'produce',
  'consume',
  'consume-text',
  'consume-json',
  'pipe',
  'awaited',
  'steady',
  'keyed',
  'files',
] as const;

export const CLIENTS: readonly Client[] = [
  {
    name: OURS,
    program: 'node',
    works: EVERY_FLOW,
    note: '`fromIterable → toTopic → map → settle` and `fromGroup → map → filter`, every default: idempotent, acks=all, linger 0 (a partition gathers while it has something in flight), batches of 1,000,000 bytes, CRC checked, commits every 5 s or 10,000 records.',
  },
  {
    name: 'sluice-raw',
    program: 'node',
    as: OURS,
    works: ['consume'],
    note: 'the same, raw bytes.',
  },
  {
    name: 'sluice-linger-10',
    program: 'node',
    as: OURS,
    works: ['produce'],
    lingerMs: 10,
    note: 'the same with `lingerMs: 10`.',
  },
  {
    name: 'sluice-node-24',
    program: 'node24',
    as: OURS,
    works: ['produce', 'consume'],
    note: 'the same on Node 24, which has a zstd of its own.',
  },
  {
    name: 'sluice-read',
    program: 'node',
    as: OURS,
    works: ['read'],
    note: '`fromPartitions → map → filter → settle`: no group, no commits.',
  },
  {
    name: 'probe',
    program: 'node',
    works: ['produce', 'read'],
    note: 'the limit: one plain socket, five requests of one 1,000,000-byte batch in flight; CRC, one object per record, values cut out on demand, RxJS `map` and `filter`. Not idempotent, no group, no retries.',
  },
  {
    name: 'franz-go',
    program: 'go',
    works: ['produce', 'consume'],
    lingerMs: 0,
    note: 'franz-go 1.22.2: idempotent, acks=all, linger 0, batches of its default 1,000,012 bytes, 200,000 records buffered; in a group, commits every 5 s.',
  },
  {
    name: 'franz-go-linger-10',
    program: 'go',
    as: 'franz-go',
    works: ['produce'],
    lingerMs: 10,
    note: 'the same with a linger of 10 ms, its default.',
  },
  {
    name: 'franz-go-read',
    program: 'go',
    as: 'franz-go',
    works: ['read'],
    lingerMs: 10,
    note: 'without a group.',
  },
  {
    name: 'sarama',
    program: 'go',
    works: ['produce', 'consume'],
    lingerMs: 0,
    note: 'sarama 1.61.1: acks=all, not idempotent (its default), flush frequency 0, 1,000,000 bytes per message set, 1 MiB per fetch; in a group, commits every 5 s.',
  },
  {
    name: 'sarama-linger-10',
    program: 'go',
    as: 'sarama',
    works: ['produce'],
    lingerMs: 10,
    note: 'the same with a flush frequency of 10 ms.',
  },
  {
    name: 'sarama-read',
    program: 'go',
    as: 'sarama',
    works: ['read'],
    lingerMs: 0,
    note: 'without a group.',
  },
  {
    name: 'kafkajs',
    program: 'node',
    works: EVERY_FLOW,
    note: 'kafkajs 2.2.4: `sendBatch` of 200 KB, three calls at a time, acks -1, not idempotent (its default); `eachBatch`, `autoCommitInterval` 5 s, three partitions at a time, 4 MiB per partition and fetch. It does not check CRCs.',
  },
  {
    name: 'platformatic',
    program: 'platformatic',
    works: ['produce', 'consume', 'awaited', 'steady'],
    note: '@platformatic/kafka 2.12.1 on Node 24: `send` of 200 KB, three calls at a time, acks -1, not idempotent (its default); `consume` as a stream, autocommit every 5 s, high water mark 16,384, wait 500 ms, read uncommitted. It does not check CRCs.',
  },
  {
    name: 'node-rdkafka',
    as: 'rdkafka',
    program: 'rdkafka',
    works: ['produce', 'consume'],
    note: 'node-rdkafka 3.6.1 (librdkafka 2.12.0): acks -1, not idempotent (its default), linger 5 ms, batches of 1,000,000 bytes, 100,000 records queued, delivery reports; `consume(2000)` in a loop, commits every 5 s.',
  },
  {
    name: 'java',
    program: 'java',
    works: ['produce', 'consume', 'pipe', 'awaited', 'steady'],
    lingerMs: 0,
    note: "Java's client 4.3.1 in a loop of its own: idempotent, acks=all, linger 0, batches of 1,000,000 bytes (its default of 16,384 is a third as fast), 64 MiB buffered; commits every 5 s, `max.poll.records` 10,000.",
  },
  {
    name: 'java-linger-10',
    as: 'java',
    program: 'java',
    works: ['produce'],
    lingerMs: 10,
    note: 'the same with a linger of 10 ms.',
  },
  {
    name: 'java-tools',
    program: 'java',
    works: ['produce', 'consume'],
    lingerMs: 10,
    note: "Kafka's own `ProducerPerformance` with the same settings and a linger of 10 ms, and `ConsumerPerformance` with its defaults, whose fetch rate it is; they add nothing up, so the log is counted, and nothing else is checked.",
  },
];
