// Reading partitions without a group.

import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Credit } from './defaults.ts';
import { Fetcher } from './fetcher.ts';
import type { FetcherOptions, Position, StartPosition } from './options.ts';
import type { PartitionReader } from './partition-reader.ts';
import { listPartitions } from './listing.ts';
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
  /** Hands over nothing more of these partitions, of all by default, until `resume()`; what was fetched stays. */
  pause(partitions?: readonly number[]): void;
  resume(partitions?: readonly number[]): void;
  /** Goes on at this position in these partitions, in all by default. Rejects as {@link openPartitions}, with nothing moved. */
  seek(position: StartPosition, partitions?: readonly number[]): Promise<void>;
  /** The high watermark of each partition as of its last fetch, -1 before the first; not all of one moment. */
  highWatermarks(): ReadonlyMap<number, number>;
  /** Closes the readers. */
  close(): void;
}

/** Opens a reader for each partition. Rejects with coded errors: unknown topic or partition, a position that cannot be found in time. */
export async function openPartitions(cluster: Cluster, options: OpenOptions): Promise<OpenPartitions> {
  const { topic, from, to, credit } = options;
  const existing = await listPartitions(cluster, topic, options);
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
  const chosen = (some = partitions): PartitionReader[] => {
    const strange = some.find((partition) => !partitions.includes(partition));
    if (strange !== undefined)
      throw new UsageError(`Partition ${strange} of ${topic} is not among those that are read`, 'partitions');
    return readers.filter(({ partition }) => some.includes(partition));
  };
  return {
    readers,
    fetcher,
    pause: (some) => chosen(some).forEach((reader) => reader.pause()),
    resume: (some) => chosen(some).forEach((reader) => reader.resume()),
    seek: async (position, some) => {
      const moved = chosen(some);
      const numbers = moved.map(({ partition }) => partition);
      const found = await resolvePositions(cluster, topic, numbers, position, options);
      moved.forEach((reader, at) => reader.seek(found[at]!.offset));
    },
    highWatermarks: () => new Map(readers.map(({ partition, highWatermark }) => [partition, highWatermark])),
    close: () => fetcher.close(),
  };
}
