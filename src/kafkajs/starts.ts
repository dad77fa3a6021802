// Where the claims of an assignment start, asked of the cluster by kafkajs's admin.

import type { Admin } from 'kafkajs';
import type { Position } from '../core/consumer/options.ts';
import type { Assignment } from '../core/group/assignors/assignor.ts';
import type { ClaimStart } from '../core/group/starts.ts';
import { UsageError } from '../errors.ts';

/** What is asked of kafkajs's admin. */
export type OffsetsAdmin = Pick<Admin, 'fetchOffsets' | 'fetchTopicOffsets' | 'fetchTopicOffsetsByTimestamp'>;

interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/** Finds starts: the commit, else `from`, else the earliest offset for partitions that appeared when the group was already there. */
export class KafkajsStarts {
  private readonly admin: OffsetsAdmin;
  private readonly groupId: string;
  private readonly from: Position;
  private readonly earliestTopics: readonly string[];
  /** Of each topic, how many partitions it had when it was first assigned. */
  private readonly known = new Map<string, number>();
  private readonly late = new Set<string>();

  constructor(admin: OffsetsAdmin, groupId: string, from: Position, earliestTopics: readonly string[] = []) {
    this.admin = admin;
    this.groupId = groupId;
    this.from = from;
    this.earliestTopics = earliestTopics;
  }

  /** Rejects with kafkajs's errors. */
  async find(assignment: Assignment): Promise<ClaimStart[]> {
    const topics = [...assignment.keys()].filter((topic) => assignment.get(topic)!.length > 0);
    if (topics.length === 0) return [];
    const answers = await this.admin.fetchOffsets({ groupId: this.groupId, topics });
    const starts: ClaimStart[] = [];
    for (const topic of topics) {
      const committed = new Map<number, Committed>();
      const answer = answers.find((one) => one.topic === topic)?.partitions ?? [];
      for (const { partition, offset, metadata } of answer)
        if (Number(offset) >= 0)
          committed.set(partition, { offset: Number(offset), metadata: metadata ?? '' });
      this.observe(topic, answer.length, committed);
      starts.push(...(await this.startsOf(topic, assignment.get(topic)!, committed)));
    }
    return starts;
  }

  /** Where the log of a partition begins and ends now. */
  async range(topic: string, partition: number): Promise<{ low: number; high: number }> {
    const all = await this.admin.fetchTopicOffsets(topic);
    const found = all.find((one) => one.partition === partition);
    return { low: Number(found?.low ?? 0), high: Number(found?.high ?? 0) };
  }

  /** Partitions without a commit beside others with one appeared while nobody was looking. */
  private observe(topic: string, partitions: number, committed: ReadonlyMap<number, Committed>): void {
    if (this.known.has(topic)) return;
    this.known.set(topic, partitions);
    if (committed.size === 0) return;
    for (let partition = 0; partition < partitions; partition++)
      if (!committed.has(partition)) this.late.add(`${topic}-${partition}`);
  }

  private async startsOf(
    topic: string,
    partitions: readonly number[],
    committed: ReadonlyMap<number, Committed>,
  ): Promise<ClaimStart[]> {
    const isLate = (partition: number): boolean =>
      this.earliestTopics.includes(topic) ||
      partition >= (this.known.get(topic) ?? 0) ||
      this.late.has(`${topic}-${partition}`);
    const without = partitions.filter((partition) => !committed.has(partition));
    const late = await this.resolve(topic, without.filter(isLate), 'earliest');
    const early = await this.resolve(
      topic,
      without.filter((partition) => !isLate(partition)),
      this.from,
    );
    const isMoving = this.from === 'latest' || typeof this.from === 'object';
    return partitions.map((partition) => {
      const commit = committed.get(partition);
      const fresh = early.get(partition);
      return {
        topic,
        partition,
        offset: commit?.offset ?? fresh ?? late.get(partition) ?? 0,
        leaderEpoch: -1,
        metadata: commit?.metadata ?? '',
        committed: commit !== undefined,
        mustCommit: commit === undefined && fresh !== undefined && isMoving,
      };
    });
  }

  private async resolve(
    topic: string,
    partitions: readonly number[],
    from: Position,
  ): Promise<ReadonlyMap<number, number>> {
    if (partitions.length === 0) return new Map();
    if (typeof from === 'number') {
      if (!Number.isSafeInteger(from) || from < 0)
        throw new UsageError(`${from} is not an offset to start at`, 'start');
      return new Map(partitions.map((partition) => [partition, from]));
    }
    if (typeof from === 'object') {
      const found = await this.admin.fetchTopicOffsetsByTimestamp(topic, from.timestamp);
      return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
    }
    const found = await this.admin.fetchTopicOffsets(topic);
    return new Map(
      found.map(({ partition, low, high }) => [partition, Number(from === 'latest' ? high : low)]),
    );
  }
}
