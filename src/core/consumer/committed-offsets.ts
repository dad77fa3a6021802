// What a group committed, read without being its member.

import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { offsetFetchApi } from '../protocol/messages/09-offset-fetch.ts';
import type { ResolveOptions } from './positions.ts';

/** A group's commit for one partition. */
export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** Version 10 names topics by id only, which not every metadata answer has. */
const LAST_VERSION_WITH_NAMES = 9;
/** NOT_COORDINATOR and COORDINATOR_NOT_AVAILABLE. */
const ELSEWHERE = new Set([15, 16]);

/** The commits of `groupId` for these partitions; those without one are left out. With 'read_committed' it waits for open transactions. */
export async function committedOffsets(
  cluster: Cluster,
  groupId: string,
  topic: string,
  partitions: readonly number[],
  options: ResolveOptions = {},
): Promise<Map<number, CommittedOffset>> {
  const { signal } = options;
  const deadlineMs = options.deadlineMs ?? cluster.retry.deadlineMs;
  return withRetry(cluster, `OffsetFetch of group ${groupId}`, { deadlineMs, signal }, async (n) => {
    if (n > 1) cluster.forgetCoordinator('group', groupId);
    const nodeId = await cluster.coordinator('group', groupId);
    const topics = [{ name: topic, partitionIndexes: partitions }];
    const requireStable = options.isolationLevel === 'read_committed';
    const response = await cluster.send(
      nodeId,
      offsetFetchApi,
      (version) => ({
        groupId: version < 8 ? groupId : '',
        topics: version < 8 ? topics : [],
        groups: version < 8 ? [] : [{ groupId, topics }],
        requireStable: requireStable && version >= 7,
      }),
      { signal, use: 'coordinator', maxVersion: LAST_VERSION_WITH_NAMES },
    );
    return readCommits(cluster, response, groupId, topic);
  });
}

function readCommits(
  cluster: Cluster,
  response: ResponseOf<typeof offsetFetchApi>,
  groupId: string,
  topic: string,
): Map<number, CommittedOffset> {
  const group = response.groups.find((one) => one.groupId === groupId);
  const failed = response.errorCode !== 0 ? response.errorCode : (group?.errorCode ?? 0);
  if (failed !== 0) {
    if (ELSEWHERE.has(failed)) cluster.forgetCoordinator('group', groupId);
    throw brokerError(failed, { api: 'OffsetFetch', detail: `of group ${groupId}` });
  }
  const commits = new Map<number, CommittedOffset>();
  for (const { name, partitions } of group?.topics ?? response.topics) {
    if (name !== topic) continue;
    for (const one of partitions) {
      const partition = one.partitionIndex;
      if (one.errorCode !== 0) throw brokerError(one.errorCode, { api: 'OffsetFetch', topic, partition });
      if (one.committedOffset < 0) continue;
      commits.set(partition, {
        offset: one.committedOffset,
        leaderEpoch: one.committedLeaderEpoch,
        metadata: one.metadata ?? '',
      });
    }
  }
  return commits;
}
