// The group's committed offsets, for all partitions of an assignment in one request.

import { KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { offsetFetchApi } from '../protocol/messages/09-offset-fetch.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { OffsetPoint } from './committer.ts';

/** Version 10 names topics by id only, which not every metadata answer has. */
const LAST_VERSION_WITH_NAMES = 9;
/** The first that can wait for offsets of an open transaction, and the first that asks for several groups. */
const STABLE_SINCE = 7;
const GROUPS_SINCE = 8;

/** The commits of these partitions; those without one are left out. Waits, as long as it may, for open transactions over them. */
export async function fetchGroupOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: Assignment,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<OffsetPoint[]> {
  if (partitions.size === 0) return [];
  const topics = [...partitions].map(([name, partitionIndexes]) => ({ name, partitionIndexes }));
  return withRetry(cluster, `OffsetFetch of group ${groupId}`, options, async (_, remainingMs) => {
    try {
      const response = await cluster.send(
        await cluster.coordinator('group', groupId),
        offsetFetchApi,
        (version) => ({
          groupId: version < GROUPS_SINCE ? groupId : '',
          topics: version < GROUPS_SINCE ? topics : [],
          groups: version < GROUPS_SINCE ? [] : [{ groupId, topics }],
          requireStable: version >= STABLE_SINCE,
        }),
        {
          use: 'coordinator',
          maxVersion: LAST_VERSION_WITH_NAMES,
          timeoutMs: Math.min(remainingMs, cluster.requestTimeoutMs),
          signal: options.signal,
        },
      );
      return readPoints(response, groupId);
    } catch (error) {
      if (error instanceof KafkaError && error.retriable) cluster.forgetCoordinator('group', groupId);
      throw error;
    }
  });
}

function readPoints(response: ResponseOf<typeof offsetFetchApi>, groupId: string): OffsetPoint[] {
  const group = response.groups.find((one) => one.groupId === groupId);
  const failed = response.errorCode !== 0 ? response.errorCode : (group?.errorCode ?? 0);
  if (failed !== 0) throw brokerError(failed, { api: 'OffsetFetch' });
  const points: OffsetPoint[] = [];
  for (const { name: topic, partitions } of group?.topics ?? response.topics) {
    for (const one of partitions) {
      const { partitionIndex: partition, committedOffset: offset } = one;
      if (one.errorCode !== 0) throw brokerError(one.errorCode, { api: 'OffsetFetch', topic, partition });
      if (offset < 0) continue;
      points.push({
        topic,
        partition,
        offset,
        leaderEpoch: one.committedLeaderEpoch,
        metadata: one.metadata ?? '',
      });
    }
  }
  return points;
}
