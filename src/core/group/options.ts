// Options of a group consumer, their defaults and their rules.

import { UsageError } from '../../errors.ts';
import type { Credit } from '../consumer/defaults.ts';
import type { FetcherOptions, Position } from '../consumer/options.ts';
import type { Assignor } from './assignors/assignor.ts';
import { resolveAssignors, type AssignorName } from './assignors/named.ts';
import type { Committer } from './committer.ts';
import { checkProtocol } from './consumer-protocol/check-protocol.ts';

/** Kafka's `group.protocol`. */
export type GroupProtocol = 'classic' | 'consumer';

/** Options of {@link GroupConsumer}; all times in milliseconds. */
export interface GroupConsumerOptions extends FetcherOptions {
  readonly groupId: string;
  /** Names, or a pattern that is matched against all topics of the cluster (internal ones aside), now and later. */
  readonly topics: readonly string[] | RegExp;
  /** Topics that are never read, by name or pattern, whatever `topics` says. Default none. */
  readonly excludeTopics?: readonly string[] | RegExp | undefined;
  /**
   * How the group is kept together: 'classic' (members divide the partitions, each rebalance is a round of joining) or 'consumer' (KIP-848: the
   * broker does it; Kafka 4.0 and later). Kafka's `group.protocol`. Default 'classic'.
   */
  readonly groupProtocol?: GroupProtocol | undefined;
  /** With groupProtocol 'consumer': how the broker divides, 'uniform' or 'range'. Kafka's `group.remote.assignor`. Default: the broker's choice. */
  readonly groupRemoteAssignor?: string | undefined;
  /** Makes the member static (KIP-345): it keeps its partitions over a restart within the session timeout, because stopping does not leave. */
  readonly groupInstanceId?: string | undefined;
  /** Where partitions without a commit start. Default 'earliest'. Partitions that appear later always start at the earliest. */
  readonly from?: Position | undefined;
  /** Topics of which partitions without a commit start at the earliest offset, whatever `from` says. Default none. */
  readonly earliestTopics?: readonly string[] | undefined;
  /** Per claim. */
  readonly credit?: Partial<Credit> | undefined;
  /** Without a heartbeat for this long the member is dead. Default 45,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Default 3,000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** How long the group waits for a member to join a rebalance. Default 60,000; must exceed drain + commit + heartbeat interval. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** How long a revoked claim may take to settle what was handed over, before it is lost. Default 30,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Default 5,000. */
  readonly commitTimeoutMs?: number | undefined;
  /** Default 5,000. */
  readonly commitIntervalMs?: number | undefined;
  /** Commit when this many records were settled since the last commit, before the interval is over. Default 10,000. */
  readonly commitEveryRecords?: number | undefined;
  /** How often topics and partitions are looked at for growth. Default 300,000, as Kafka's `metadata.max.age.ms`. */
  readonly metadataMaxAgeMs?: number | undefined;
  /**
   * How the classic group divides, in order of preference: names of Kafka's own assignors, or assignors of your own. The group takes what all its
   * members offer. A member keeps its claims over rebalances when all of these are cooperative. Kafka's `partition.assignment.strategy`. Default
   * ['range', 'cooperative-sticky'], as Java's client.
   */
  readonly assignors?: readonly (AssignorName | Assignor)[] | undefined;
  /** Default: OffsetCommit requests. */
  readonly committer?: Committer | undefined;
}

type Times =
  | 'sessionTimeoutMs'
  | 'heartbeatIntervalMs'
  | 'rebalanceTimeoutMs'
  | 'drainTimeoutMs'
  | 'commitTimeoutMs'
  | 'commitIntervalMs'
  | 'commitEveryRecords'
  | 'metadataMaxAgeMs';

/** The numbers of {@link GroupConsumerOptions}, all present. */
export type GroupTimes = { readonly [K in Times]: number };

/** Kafka's own defaults where Kafka has one. */
export const DEFAULT_GROUP_TIMES: GroupTimes = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3_000,
  rebalanceTimeoutMs: 60_000,
  drainTimeoutMs: 30_000,
  commitTimeoutMs: 5_000,
  commitIntervalMs: 5_000,
  commitEveryRecords: 10_000,
  metadataMaxAgeMs: 300_000,
};

const MAX_INT32 = 2 ** 31 - 1;
const INSTANCE_ID = /^[0-9A-Za-z._-]{1,249}$/;

/** Fills in the defaults; throws UsageError naming the option that breaks a rule. */
export function resolveGroupTimes(options: GroupConsumerOptions): GroupTimes {
  checkIdentity(options);
  checkProtocol(options);
  resolveAssignors(options.assignors);
  const times = { ...DEFAULT_GROUP_TIMES };
  for (const name of Object.keys(DEFAULT_GROUP_TIMES) as Times[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < (name === 'drainTimeoutMs' ? 0 : 1) || value > MAX_INT32) {
      throw new UsageError(`${name} must be a whole number above zero, not ${String(value)}`, name);
    }
    times[name] = value;
  }
  const { heartbeatIntervalMs, sessionTimeoutMs, drainTimeoutMs, commitTimeoutMs, rebalanceTimeoutMs } =
    times;
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new UsageError(
      `heartbeatIntervalMs (${heartbeatIntervalMs}) must be below sessionTimeoutMs (${sessionTimeoutMs}); a third of it is usual`,
      'heartbeatIntervalMs',
    );
  }
  const needed = drainTimeoutMs + commitTimeoutMs + heartbeatIntervalMs;
  if (needed >= rebalanceTimeoutMs) {
    throw new UsageError(
      `drainTimeoutMs + commitTimeoutMs + heartbeatIntervalMs (${drainTimeoutMs} + ${commitTimeoutMs} + ${heartbeatIntervalMs} = ${needed}) must be ` +
        `below rebalanceTimeoutMs (${rebalanceTimeoutMs}), or the group gives the partitions away before they are committed`,
      'rebalanceTimeoutMs',
    );
  }
  return times;
}

function checkIdentity({ groupId, topics, excludeTopics, groupInstanceId }: GroupConsumerOptions): void {
  if (typeof groupId !== 'string' || groupId === '') {
    throw new UsageError(
      `groupId must be a string that is not empty, not ${JSON.stringify(groupId)}`,
      'groupId',
    );
  }
  if (!(topics instanceof RegExp)) {
    if (!Array.isArray(topics) || topics.length === 0) {
      throw new UsageError(
        `topics must name at least one topic, or be a RegExp, not ${JSON.stringify(topics)}`,
        'topics',
      );
    }
    for (const topic of topics as readonly unknown[]) {
      if (typeof topic !== 'string' || topic === '') {
        throw new UsageError(`topics must be names, not ${JSON.stringify(topic)}`, 'topics');
      }
    }
  }
  if (excludeTopics !== undefined && !(excludeTopics instanceof RegExp)) {
    if (!Array.isArray(excludeTopics) || excludeTopics.some((topic: unknown) => typeof topic !== 'string'))
      throw new UsageError('excludeTopics must be a list of names, or a RegExp', 'excludeTopics');
    if (!(topics instanceof RegExp) && topics.every((topic) => excludeTopics.includes(topic)))
      throw new UsageError('excludeTopics leaves nothing of topics', 'excludeTopics');
  }
  if (groupInstanceId !== undefined && !INSTANCE_ID.test(groupInstanceId)) {
    throw new UsageError(
      `groupInstanceId must be 1 to 249 of the characters 0-9 A-Z a-z . _ -, not '${groupInstanceId}'`,
      'groupInstanceId',
    );
  }
}
