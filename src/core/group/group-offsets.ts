// The group's committed offsets, for all partitions of an assignment in one request.

import { BrokerError, KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import type { ResponseOf } from '../protocol/api.ts';
import { offsetFetchApi } from '../protocol/messages/09-offset-fetch.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { Generation, OffsetPoint } from './committer.ts';

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
  options: {
    readonly deadlineMs: number;
    readonly signal: AbortSignal;
    readonly member?: (() => Generation | undefined) | undefined;
  },
): Promise<OffsetPoint[]> {
  if (partitions.size === 0) return [];
  const topics = [...partitions].map(([name, partitionIndexes]) => ({ name, partitionIndexes }));
  return withRetry(cluster, `OffsetFetch of group ${groupId}`, options, async (_, remainingMs) => {
    const member = options.member?.();
    try {
      const response = await cluster.send(
        await cluster.coordinator('group', groupId),
        offsetFetchApi,
        (version) => ({
          groupId: version < GROUPS_SINCE ? groupId : '',
          topics: version < GROUPS_SINCE ? topics : [],
          groups:
            version < GROUPS_SINCE
              ? []
              : [
                  {
                    groupId,
                    topics,
                    memberId: member?.memberId ?? null,
                    memberEpoch: member?.generationId ?? -1,
                  },
                ],
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
      if (member !== undefined && isBehind(error)) {
        throw new BrokerError(error.errorName, error.message, { retriable: true, api: 'OffsetFetch' });
      }
      if (error instanceof KafkaError && error.retriable) cluster.forgetCoordinator('group', groupId);
      throw error;
    }
  });
}

/** The member has another epoch by now, or is about to hear that it is none: the next attempt asks in its new name, or is called off. */
function isBehind(error: unknown): error is BrokerError {
  return (
    error instanceof BrokerError &&
    (error.errorName === 'STALE_MEMBER_EPOCH' || error.errorName === 'UNKNOWN_MEMBER_ID')
  );
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
