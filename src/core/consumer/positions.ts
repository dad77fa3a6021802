// Where to start and where to end, as offsets.

import { UsageError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CommittedOffset } from '../cluster/committed-offsets.ts';
import { committedOffsets } from './committed-offsets.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from './list-offsets.ts';
import type { IsolationLevel, StartPosition } from './options.ts';

/** A position of one partition, resolved. */
export interface ResolvedPosition {
  readonly partition: number;
  readonly offset: number;
  /** Of the record before it, as far as a commit tells; else -1. */
  readonly leaderEpoch: number;
  /** The commit's, when it came from one. */
  readonly metadata: string;
}

/** Options of {@link resolvePositions}. */
export interface ResolveOptions {
  /** With 'read_committed', 'latest' is the last stable offset. */
  readonly isolationLevel?: IsolationLevel | undefined;
  /** Default: the cluster's retry deadline. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Turns a position into an offset for each of these partitions, in their order. Numbers are taken as they are; whether the log holds them
 * shows at the first fetch. Rejects with coded errors, at the latest at the deadline.
 */
export async function resolvePositions(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  position: StartPosition,
  options: ResolveOptions = {},
): Promise<ResolvedPosition[]> {
  if (partitions.length === 0) return [];
  if (typeof position === 'number')
    return partitions.map((partition) => at(partition, checkedOffset(position)));
  if (position === 'earliest') return byTime(cluster, topic, partitions, EARLIEST_TIMESTAMP, options);
  if (position === 'latest') return byTime(cluster, topic, partitions, LATEST_TIMESTAMP, options);
  if ('timestamp' in position)
    return byTime(cluster, topic, partitions, checkedTime(position.timestamp), options);
  return byCommit(cluster, topic, partitions, position.committedBy, options);
}

function at(partition: number, offset: number, leaderEpoch = -1, metadata = ''): ResolvedPosition {
  return { partition, offset, leaderEpoch, metadata };
}

async function byTime(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  options: ResolveOptions,
): Promise<ResolvedPosition[]> {
  const found = await listOffsets(cluster, topic, partitions, timestamp, options);
  const none = partitions.filter((partition) => found.get(partition)!.offset < 0);
  const ends = none.length === 0 ? found : await listOffsets(cluster, topic, none, LATEST_TIMESTAMP, options);
  return partitions.map((partition) => {
    const { offset } = found.get(partition)!;
    return at(partition, offset < 0 ? ends.get(partition)!.offset : offset);
  });
}

/** The group's commits in a topic, by partition. With 'read_committed' it waits for open transactions. */
export async function commitsOf(
  cluster: Cluster,
  groupId: string,
  topic: string,
  partitions: readonly number[],
  { isolationLevel, deadlineMs, signal }: ResolveOptions,
): Promise<ReadonlyMap<number, CommittedOffset>> {
  const requireStable = isolationLevel === 'read_committed';
  const limits = { deadlineMs, signal, requireStable };
  const commits = await committedOffsets(cluster, groupId, new Map([[topic, partitions]]), limits);
  return new Map(commits.map((one) => [one.partition, one]));
}

async function byCommit(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  groupId: string,
  options: ResolveOptions,
): Promise<ResolvedPosition[]> {
  const commits = await commitsOf(cluster, groupId, topic, partitions, options);
  const without = partitions.filter((partition) => !commits.has(partition));
  const starts = new Map<number, number>();
  if (without.length > 0) {
    const found = await listOffsets(cluster, topic, without, EARLIEST_TIMESTAMP, options);
    for (const [partition, { offset }] of found) starts.set(partition, offset);
  }
  return partitions.map((partition) => {
    const commit = commits.get(partition);
    if (commit === undefined) return at(partition, starts.get(partition)!);
    return at(partition, commit.offset, commit.leaderEpoch, commit.metadata);
  });
}

function checkedOffset(offset: number): number {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new UsageError(
      `${offset} is not an offset: give a whole number from 0, 'earliest', 'latest' or a timestamp`,
      'from',
    );
  return offset;
}

function checkedTime(timestamp: number): number {
  if (!Number.isFinite(timestamp) || timestamp < 0)
    throw new UsageError(`${timestamp} is not a timestamp: give milliseconds since 1970`, 'timestamp');
  return Math.ceil(timestamp);
}
