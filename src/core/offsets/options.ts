// Options of an offset manager, their defaults and their rules.

import { UsageError, type KafkaError } from '../../errors.ts';
import type { IsolationLevel, Position } from '../consumer/options.ts';
import type { Committer, OffsetPoint } from '../group/committer.ts';

/** A live member of the group, on whose behalf is committed: a `GroupConsumer` is one. */
export interface CommittingMember {
  readonly memberId: string;
  /** Generation or member epoch; -1 while there is none. */
  readonly generation: number;
  readonly groupInstanceId?: string | null | undefined;
}

/** Options of {@link OffsetManager}; all times in milliseconds. */
export interface OffsetManagerOptions {
  readonly groupId: string;
  /** The next offset of partitions without a commit. Default 'earliest'. */
  readonly initial?: Position | undefined;
  /**
   * Default 'read_uncommitted'. With 'read_committed', what open transactions are about to commit is waited for, and 'latest' is the last
   * stable offset.
   */
  readonly isolationLevel?: IsolationLevel | undefined;
  /** Commit what is marked at an interval and at `close()`. Default true; false leaves it to `commit()`, and what is not committed is dropped at `close()`. */
  readonly autoCommit?: boolean | undefined;
  /** Default 5,000, as Kafka's `auto.commit.interval.ms`. */
  readonly commitIntervalMs?: number | undefined;
  /** How long one commit is repeated before it has failed. Default 5,000. */
  readonly commitTimeoutMs?: number | undefined;
  /** How often the commit of `close()` is repeated at most. Default 3. */
  readonly closeRetries?: number | undefined;
  /** Commit as this member; read at each commit. Default: as nobody, which a group accepts only while it has no live members. */
  readonly member?: CommittingMember | undefined;
  /** These points are in the group's log. */
  readonly onCommitted?: ((points: readonly OffsetPoint[]) => void) | undefined;
  /** A commit at the interval failed; the next one covers it. Default: a process warning. */
  readonly onCommitFailed?: ((error: KafkaError) => void) | undefined;
  /** Default: OffsetCommit requests. */
  readonly committer?: Committer | undefined;
}

type Numbers = 'commitIntervalMs' | 'commitTimeoutMs' | 'closeRetries';

/** The numbers of {@link OffsetManagerOptions}, all present. */
export type OffsetManagerLimits = { readonly [N in Numbers]: number };

const DEFAULT_LIMITS: OffsetManagerLimits = {
  commitIntervalMs: 5_000,
  commitTimeoutMs: 5_000,
  closeRetries: 3,
};

/** Fills in the defaults; throws UsageError naming the option that breaks a rule. */
export function resolveOffsetLimits(options: OffsetManagerOptions): OffsetManagerLimits {
  const { groupId } = options;
  if (typeof groupId !== 'string' || groupId === '')
    throw new UsageError('groupId must be a string that is not empty', 'groupId');
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as Numbers[]) {
    const value = options[name];
    if (value === undefined) continue;
    const least = name === 'closeRetries' ? 0 : 1;
    if (!Number.isInteger(value) || value < least)
      throw new UsageError(`${name} must be a whole number from ${least}, not ${String(value)}`, name);
    limits[name] = value;
  }
  return limits;
}
