// What a group committed, asked of its coordinator once. Members, readers without a group and the admin repeat it each in their own way.

import { errorCode } from '../protocol/error-codes.ts';
import { offsetFetchApi } from '../protocol/messages/09-offset-fetch.ts';
import type { Cluster, SendOptions } from './cluster.ts';
import { brokerError } from './retry.ts';

/** A committed offset. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** -1 when it was committed without. */
  readonly leaderEpoch: number;
  /** The string committed with it; empty when there is none. */
  readonly metadata: string;
}

/** Whose commits are asked for. */
export interface CommittedOf {
  readonly groupId: string;
  /** By topic; undefined for everything the group has committed for. */
  readonly partitions?: ReadonlyMap<string, readonly number[]> | undefined;
  /** UNSTABLE_OFFSET_COMMIT while an open transaction holds one of them. */
  readonly requireStable?: boolean | undefined;
  /** In whose name, where the protocol wants that said (KIP-848). */
  readonly member?: { readonly memberId: string; readonly generationId: number } | undefined;
}

/** Version 10 names topics by id, which a group may have outlived, and not every metadata answer has. */
const LAST_VERSION_WITH_NAMES = 9;
/** The first that can wait for offsets of an open transaction, and the first that asks for several groups. */
const STABLE_SINCE = 7;
const GROUPS_SINCE = 8;

/** The commits; partitions without one are left out. Rejects with the first error in the answer. */
export async function askCommittedOffsets(
  cluster: Cluster,
  nodeId: number,
  { groupId, partitions, requireStable = false, member }: CommittedOf,
  options: Pick<SendOptions, 'timeoutMs' | 'signal'>,
): Promise<CommittedOffset[]> {
  const asked =
    partitions === undefined
      ? null
      : [...partitions].map(([name, partitionIndexes]) => ({ name, partitionIndexes }));
  const { memberId = null, generationId: memberEpoch = -1 } = member ?? {};
  const response = await cluster.send(
    nodeId,
    offsetFetchApi,
    (version) => ({
      ...(version < GROUPS_SINCE
        ? { groupId, topics: asked }
        : { groups: [{ groupId, topics: asked, memberId, memberEpoch }] }),
      requireStable: requireStable && version >= STABLE_SINCE,
    }),
    { ...options, use: 'coordinator', maxVersion: LAST_VERSION_WITH_NAMES },
  );
  const api = offsetFetchApi.name;
  const { errorCode: code, topics } = response.groups.find((one) => one.groupId === groupId) ?? response;
  if (code !== 0) throw brokerError(code, { api, detail: `${errorCode(code).message} (group ${groupId})` });
  const offsets: CommittedOffset[] = [];
  for (const { name: topic, partitions: rows } of topics) {
    for (const row of rows) {
      const { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: leaderEpoch } = row;
      if (row.errorCode !== 0) throw brokerError(row.errorCode, { api, topic, partition });
      if (offset < 0) continue;
      offsets.push({ topic, partition, offset, leaderEpoch, metadata: row.metadata ?? '' });
    }
  }
  return offsets;
}
