// Produce and consume with each codec.
import type { Compression } from '../clients/task.ts';
import type { Workload } from './workloads.ts';

/** Who has which codec without building anything. */
const PEERS: readonly (readonly [Compression, readonly string[]])[] = [
  ['gzip', ['kafkajs', 'platformatic']],
  ['snappy', ['kafkajs', 'platformatic']],
  ['lz4', ['platformatic']],
  ['zstd', ['platformatic']],
];

const base = { valueKind: 'events', valueBytes: 200, partitions: 3, recordsPerSecond: 0 } as const;

export const CODEC_WORKLOADS: readonly Workload[] = PEERS.flatMap(([compression, peers]) => {
  const shared = { ...base, compression, clients: ['sluice', 'sluice-node-24', ...peers] };
  return [
    {
      ...shared,
      name: `produce-${compression}`,
      title: `Produce, 200 B, ${compression}`,
      works: ['produce'],
      share: 0.3,
    },
    {
      ...shared,
      name: `consume-${compression}`,
      title: `Consume, 200 B, ${compression}`,
      works: ['consume'],
      share: 1,
    },
  ];
});
