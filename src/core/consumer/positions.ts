// Where to start and where to end, as offsets.

import type { Cluster } from '../cluster/cluster.ts';
import type { IsolationLevel, StartPosition } from './options.ts';

/** A position of one partition, resolved. */
export interface ResolvedPosition {
  readonly partition: number;
  readonly offset: number;
  /** Of the record before it; -1 when unknown. */
  readonly leaderEpoch: number;
  /** The commit's, when it came from one. */
  readonly metadata: string;
}

/** Options of {@link resolvePositions}. */
export interface ResolveOptions {
  readonly isolationLevel?: IsolationLevel | undefined;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Turns a position into an offset for each of these partitions; numbers are taken as they are. Rejects with coded errors at the deadline. */
export declare function resolvePositions(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  position: StartPosition,
  options?: ResolveOptions,
): Promise<ResolvedPosition[]>;
