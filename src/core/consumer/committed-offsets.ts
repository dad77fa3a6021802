// What a group committed, asked for until there is an answer.

import { BrokerError, KafkaError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { askCommittedOffsets, type CommittedOffset } from '../cluster/committed-offsets.ts';
import { withRetry } from '../cluster/retry.ts';

/** Limits of {@link committedOffsets}. */
export interface CommittedOffsetsOptions {
  /** Default: the cluster's retry deadline. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Waits, as long as it may, for open transactions over them. */
  readonly requireStable: boolean;
  /** Asked before each attempt: in whose name commits are read, where the protocol wants that said (KIP-848). */
  readonly member?:
    (() => { readonly memberId: string; readonly generationId: number } | undefined) | undefined;
}

/** The commits of `groupId` for these partitions, by topic, in one request; those without one are left out. */
export async function committedOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: ReadonlyMap<string, readonly number[]>,
  options: CommittedOffsetsOptions,
): Promise<CommittedOffset[]> {
  if (partitions.size === 0) return [];
  const { deadlineMs = cluster.retry.deadlineMs, signal, requireStable } = options;
  const limits = { deadlineMs, signal };
  return withRetry(cluster, `OffsetFetch of group ${groupId}`, limits, async (_, remainingMs) => {
    const member = options.member?.();
    const timeoutMs = Math.min(remainingMs, cluster.requestTimeoutMs);
    try {
      const nodeId = await cluster.coordinator('group', groupId);
      const asked = { groupId, partitions, requireStable, member };
      return await askCommittedOffsets(cluster, nodeId, asked, { timeoutMs, signal });
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
