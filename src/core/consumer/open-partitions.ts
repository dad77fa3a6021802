// Reading partitions without a group.

import { UsageError } from '../../errors.ts';
import { awaitTopics } from '../cluster/await-topics.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { NO_CREATION, type Credit } from './defaults.ts';
import { Fetcher } from './fetcher.ts';
import type { FetcherOptions, Position, StartPosition } from './options.ts';
import type { PartitionReader } from './partition-reader.ts';
import { resolvePositions } from './positions.ts';
import type { OpenReaders } from './record-reader.ts';

/** What to read. */
export interface OpenOptions extends FetcherOptions {
  readonly topic: string;
  /** Default: all partitions that the topic has now. */
  readonly partitions?: readonly number[] | undefined;
  readonly from: StartPosition;
  /** Where each reader ends; 'latest' is the end of its partition as it is now. Default: never. */
  readonly to?: Position | undefined;
  readonly credit?: Partial<Credit> | undefined;
  /** For finding topic and positions. Default: the cluster's. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Readers with positions found, fetching, not started. */
export interface OpenPartitions extends OpenReaders {
  /** In the order of `partitions`. */
  readonly readers: readonly PartitionReader[];
  readonly fetcher: Fetcher;
  /** Closes the readers. */
  close(): void;
}

/** Opens a reader for each partition. Rejects with coded errors: unknown topic or partition, a position that cannot be found in time. */
export async function openPartitions(cluster: Cluster, options: OpenOptions): Promise<OpenPartitions> {
  const { topic, from, to, credit } = options;
  const existing = await partitionsOf(cluster, options);
  const partitions = options.partitions ?? existing;
  const doubled = partitions.find((partition, at) => partitions.indexOf(partition) !== at);
  if (doubled !== undefined)
    throw new UsageError(`Partition ${doubled} of ${topic} is named twice`, 'partitions');
  const absent = partitions.find((partition) => !existing.includes(partition));
  if (absent !== undefined)
    throw new UsageError(
      `${topic} has the partitions 0 to ${existing.length - 1}; there is no ${absent}`,
      'partitions',
    );
  const ends = to === undefined ? undefined : await resolvePositions(cluster, topic, partitions, to, options);
  const starts = await resolvePositions(cluster, topic, partitions, from, options);
  const fetcher = new Fetcher(cluster, options);
  const readers = starts.map(({ partition, offset, leaderEpoch, metadata }, at) =>
    fetcher.open({
      topic,
      partition,
      startOffset: offset,
      startLeaderEpoch: leaderEpoch,
      commitMetadata: metadata,
      to: ends?.[at]?.offset,
      credit,
    }),
  );
  return { readers, fetcher, close: () => fetcher.close() };
}

async function partitionsOf(cluster: Cluster, options: OpenOptions): Promise<number[]> {
  const { topic, signal } = options;
  const deadlineMs = options.deadlineMs ?? cluster.retry.deadlineMs;
  await awaitTopics(cluster, [topic], { deadlineMs, signal, ...NO_CREATION });
  return cluster.metadata.topic(topic)!.partitions.map(({ index }) => index);
}
