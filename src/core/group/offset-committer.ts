// Commits by OffsetCommit requests.

import { ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { brokerError, withRetry } from '../cluster/retry.ts';
import { commitEvents } from '../events/channels.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { offsetCommitApi } from '../protocol/messages/08-offset-commit.ts';
import { toldCommit } from './commit-trace.ts';
import type { CommitOptions, Committer, Generation, OffsetPoint } from './committer.ts';

/** Version 10 names topics by id only, which not every metadata answer has. */
const LAST_VERSION_WITH_NAMES = 9;

const ELSEWHERE: ReadonlySet<number> = new Set([
  ERRORS.NOT_COORDINATOR,
  ERRORS.COORDINATOR_NOT_AVAILABLE,
  ERRORS.REQUEST_TIMED_OUT,
]);

/** The default {@link Committer}: repeats what is refused for the moment until the deadline, only the partitions concerned. */
export class OffsetCommitter implements Committer {
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  commit(points: readonly OffsetPoint[], generation: Generation, options: CommitOptions): Promise<void> {
    const committing = this.commitAll(points, generation, options);
    return commitEvents.hasSubscribers
      ? toldCommit(this.cluster, points, generation, committing)
      : committing;
  }

  private async commitAll(
    points: readonly OffsetPoint[],
    generation: Generation,
    options: CommitOptions,
  ): Promise<void> {
    let left = points;
    const what = `OffsetCommit of group ${generation.groupId}`;
    await withRetry(this.cluster, what, options, async (_, remainingMs) => {
      const refused = await this.send(left, generation, remainingMs, options);
      const accepted = left.filter(({ topic, partition }) => !refused.has(keyOf(topic, partition)));
      if (accepted.length > 0) options.onAccepted?.(accepted);
      left = left.filter(({ topic, partition }) => refused.has(keyOf(topic, partition)));
      if (left.length === 0) return;
      throw worst(left, refused);
    });
  }

  /** The error code of each partition that was not committed. */
  private async send(
    points: readonly OffsetPoint[],
    generation: Generation,
    timeoutMs: number,
    { signal, onUnanswered }: CommitOptions,
  ): Promise<Map<string, number>> {
    const { cluster } = this;
    const { groupId, memberId, groupInstanceId, generationId } = generation;
    try {
      const response = await cluster.send(
        await cluster.coordinator('group', groupId),
        offsetCommitApi,
        {
          groupId,
          memberId,
          groupInstanceId,
          generationIdOrMemberEpoch: generationId,
          topics: byTopic(points),
        },
        {
          use: 'coordinator',
          maxVersion: LAST_VERSION_WITH_NAMES,
          timeoutMs: Math.min(timeoutMs, cluster.requestTimeoutMs),
          signal,
        },
      );
      const codes = new Map(points.map(({ topic, partition }) => [keyOf(topic, partition), -1]));
      for (const { name, partitions } of response.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode === 0) codes.delete(keyOf(name, partitionIndex));
          else codes.set(keyOf(name, partitionIndex), errorCode);
          if (ELSEWHERE.has(errorCode)) cluster.forgetCoordinator('group', groupId);
        }
      }
      return codes;
    } catch (error) {
      // Whoever calls it off cannot call back what is on the wire.
      if (maybeSent(error) || signal?.aborted === true) onUnanswered?.();
      if (error instanceof KafkaError && error.retriable) cluster.forgetCoordinator('group', groupId);
      throw error;
    }
  }
}

function maybeSent(error: unknown): boolean {
  return (
    (error instanceof TimeoutError && error.sent) ||
    (error instanceof ConnectionError && error.phase === 'io')
  );
}

/** What a retry cannot help comes before what it can. */
function worst(points: readonly OffsetPoint[], refused: ReadonlyMap<string, number>): KafkaError {
  const errors = points.map(({ topic, partition }) => {
    const code = refused.get(keyOf(topic, partition))!;
    return brokerError(code, { api: 'OffsetCommit', topic, partition });
  });
  return errors.find((error) => !error.retriable) ?? errors[0]!;
}

function byTopic(points: readonly OffsetPoint[]): {
  name: string;
  partitions: {
    partitionIndex: number;
    committedOffset: number;
    committedLeaderEpoch: number;
    committedMetadata: string;
  }[];
}[] {
  const topics = new Map<string, OffsetPoint[]>();
  for (const point of points) {
    const some = topics.get(point.topic);
    if (some === undefined) topics.set(point.topic, [point]);
    else some.push(point);
  }
  return [...topics].map(([name, some]) => ({
    name,
    partitions: some.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }));
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
