// Committed offsets of groups without members: set, reset, delete.

import { UsageError } from '../../errors.ts';
import type { BrokerError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError } from '../cluster/retry.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { offsetCommitApi } from '../protocol/messages/08-offset-commit.ts';
import { offsetDeleteApi } from '../protocol/messages/47-offset-delete.ts';
import { list, nonEmpty } from './checks.ts';
import type { OffsetPosition } from './offsets.ts';
import { listOffsets } from './offsets.ts';
import type { AdminOptions } from './outcomes.ts';
import { byTopic } from './partition-rows.ts';
import type { CoordinatorLimits, TopicPartition } from './routing.ts';
import { onCoordinators } from './routing.ts';

/** An offset to commit. */
export interface OffsetToSet extends TopicPartition {
  /** The next one to be read. */
  readonly offset: number;
  /** Of the record before it, where it is known; default -1. */
  readonly leaderEpoch?: number | undefined;
  /** Default ''. */
  readonly metadata?: string | undefined;
}

/** Limits of `resetOffsets`. */
export interface ResetOffsetsOptions extends AdminOptions {
  /** Default all partitions of the topic. */
  readonly partitions?: readonly number[] | undefined;
}

/** What commits without being a member. */
const NO_GENERATION = -1;
const LAST_BY_NAME = 9;

/** Commits for a group without members; all or, where an error names partitions, all others. */
export async function setOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToSet[],
  options: AdminOptions,
): Promise<void> {
  nonEmpty(groupId, 'groupId');
  list(offsets, 'offsets');
  offsets.forEach(({ offset }, at) => {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new UsageError(
        `offsets[${at}].offset must be an integer of at least 0, not ${String(offset)}`,
        `offsets[${at}].offset`,
      );
  });
  const api = offsetCommitApi;
  const topics = [...byTopic(offsets)].map(([name, items]) => ({
    name,
    partitions: items.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }));
  await onCoordinator(cluster, groupId, `Setting the offsets of group ${groupId}`, options, async (send) => {
    const request = { groupId, generationIdOrMemberEpoch: NO_GENERATION, memberId: '', topics };
    const response = await send((nodeId, limits) =>
      cluster.send(nodeId, api, request, { ...limits, maxVersion: LAST_BY_NAME }),
    );
    return firstError(response.topics, api.name, groupId);
  });
}

/** Sets the offsets of a group without members to a place in the log as it is now. Resolves with what was set. */
export async function resetOffsets(
  cluster: Cluster,
  groupId: string,
  topic: string,
  to: OffsetPosition,
  options: ResetOffsetsOptions,
): Promise<OffsetToSet[]> {
  nonEmpty(groupId, 'groupId');
  const startedAt = cluster.clock.now();
  const left = (): AdminOptions & { partitions?: readonly number[] | undefined } => {
    const spentMs = cluster.clock.now() - startedAt;
    const timeoutMs = Math.max(1, (options.timeoutMs ?? cluster.retry.deadlineMs) - spentMs);
    return { ...options, timeoutMs };
  };
  const found = await listOffsets(cluster, topic, to, left());
  const late = found.filter(({ offset }) => offset < 0).map(({ partition }) => partition);
  const ends =
    late.length === 0 ? [] : await listOffsets(cluster, topic, 'latest', { ...left(), partitions: late });
  const offsets = [...found.filter(({ offset }) => offset >= 0), ...ends].map(
    ({ partition, offset, leaderEpoch }) => ({ topic, partition, offset, leaderEpoch }),
  );
  await setOffsets(cluster, groupId, offsets, left());
  return offsets.sort((a, b) => a.partition - b.partition);
}

/** Deletes what a group committed for partitions of topics it does not read now. */
export async function deleteOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: AdminOptions,
): Promise<void> {
  nonEmpty(groupId, 'groupId');
  list(partitions, 'partitions');
  const api = offsetDeleteApi;
  const topics = [...byTopic(partitions)].map(([name, items]) => ({
    name,
    partitions: items.map(({ partition }) => ({ partitionIndex: partition })),
  }));
  await onCoordinator(cluster, groupId, `Deleting offsets of group ${groupId}`, options, async (send) => {
    const response = await send((nodeId, limits) => cluster.send(nodeId, api, { groupId, topics }, limits));
    if (response.errorCode !== 0)
      return brokerError(response.errorCode, {
        api: api.name,
        detail: detailOf(response.errorCode, groupId),
      });
    return firstError(response.topics, api.name, groupId);
  });
}

type Send = <R>(ask: (nodeId: number, limits: CoordinatorLimits) => Promise<R>) => Promise<R>;

async function onCoordinator(
  cluster: Cluster,
  groupId: string,
  what: string,
  options: AdminOptions,
  run: (send: Send) => Promise<BrokerError | undefined>,
): Promise<void> {
  await onCoordinators<object>(cluster, what, [groupId], options, async (nodeId, _, limits) => {
    const outcome = await run((ask) => ask(nodeId, limits));
    return new Map([[groupId, outcome ?? {}]]);
  });
}

function firstError(
  topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
  }[],
  api: string,
  groupId: string,
): BrokerError | undefined {
  for (const { name: topic, partitions } of topics) {
    const row = partitions.find(({ errorCode }) => errorCode !== 0);
    if (row === undefined) continue;
    const { errorCode, partitionIndex: partition } = row;
    return brokerError(errorCode, { api, topic, partition, detail: detailOf(errorCode, groupId) });
  }
  return undefined;
}

function detailOf(errorCode: number, groupId: string): string | undefined {
  const isInUse = errorCode === ERRORS.UNKNOWN_MEMBER_ID || errorCode === ERRORS.NON_EMPTY_GROUP;
  return isInUse ? `group ${groupId} has members; stop them first` : undefined;
}
