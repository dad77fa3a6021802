// The twelve steps that every client takes.
export const STEPS = [
  'connects, negotiates versions, and sees the cluster',
  'creates a topic of three partitions, lists and describes it',
  'produces uncompressed: with and without keys, headers, nulls',
  'produces with gzip, snappy, lz4 and zstd',
  'produces idempotently with acks=all, and with acks 0 and 1',
  'reads everything from the start, byte for byte',
  'seeks; lists offsets: earliest, latest, by timestamp',
  'a group of two: rebalance, commits, restart from them; a static member',
  'the group by KIP-848, and cooperative-sticky',
  'transactions: committed, aborted, read committed and not, with offsets',
  'admin: groups, offsets, partitions, configs, records, deletion',
  'errors: unknown topic, too large, connection cut, leader moved; closes cleanly',
] as const;
