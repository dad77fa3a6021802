// Where the claims of an assignment start.

import type { Cluster } from '../cluster/cluster.ts';
import { committedOffsets } from '../consumer/committed-offsets.ts';
import type { IsolationLevel, Position } from '../consumer/options.ts';
import { resolvePositions } from '../consumer/positions.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { Generation, OffsetPoint } from './committer.ts';
import { partitionCount } from './leader.ts';

/** Where one claim starts. */
export interface ClaimStart extends OffsetPoint {
  /** It came from a commit. */
  readonly committed: boolean;
  /** To be committed before the claim emits: a second start would come out elsewhere. */
  readonly mustCommit: boolean;
}

/** Settings of {@link ClaimStarts}. */
export interface StartOptions {
  readonly groupId: string;
  readonly from: Position;
  /** Topics that start at the earliest offset whatever `from` says. */
  readonly earliestTopics?: readonly string[] | undefined;
  readonly isolationLevel?: IsolationLevel | undefined;
  /** In whose name commits are read, where the protocol wants that said (KIP-848): the broker then answers only a member of the current epoch. */
  readonly member?: (() => Generation | undefined) | undefined;
}

/** Finds starts: the commit, else `from`, else the earliest offset for partitions that appeared when the group was already there. */
export class ClaimStarts {
  private readonly cluster: Cluster;
  private readonly options: StartOptions;
  /** Partition counts when this member came; undefined before. */
  private known: ReadonlyMap<string, number> | undefined;
  private readonly late = new Set<string>();

  constructor(cluster: Cluster, options: StartOptions) {
    this.cluster = cluster;
    this.options = options;
  }

  /**
   * To be called before each join; the first time it remembers what is there. Partitions without a commit beside others of the topic with
   * one appeared while no member was running: whoever claims a partition at the end or at a time commits that at once.
   */
  async observe(topics: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.known !== undefined || !this.startsMove) return;
    const known = new Map(topics.map((topic) => [topic, partitionCount(this.cluster, topic)]));
    const all = new Map([...known].map(([topic, count]) => [topic, [...Array(count).keys()]]));
    const commits = await this.fetch(all, signal);
    for (const [topic, partitions] of all) {
      const having = new Set(
        commits.filter((point) => point.topic === topic).map((point) => point.partition),
      );
      if (having.size === 0) continue;
      for (const partition of partitions) {
        if (!having.has(partition)) this.late.add(`${topic}-${partition}`);
      }
    }
    this.known = known;
  }

  /** Rejects with coded errors at the cluster's retry deadline. */
  async find(assignment: Assignment, signal: AbortSignal): Promise<ClaimStart[]> {
    const { from } = this.options;
    const starts: ClaimStart[] = (await this.fetch(assignment, signal)).map((point) => ({
      ...point,
      committed: true,
      mustCommit: false,
    }));
    const having = new Set(starts.map(({ topic, partition }) => `${topic}-${partition}`));
    const found = [...assignment].map(async ([topic, partitions]) => {
      const without = partitions.filter((partition) => !having.has(`${topic}-${partition}`));
      const late = without.filter((partition) => this.isLate(topic, partition));
      const early = without.filter((partition) => !late.includes(partition));
      return [
        ...(await this.resolve(topic, early, from, signal)),
        ...(await this.resolve(topic, late, 'earliest', signal)),
      ];
    });
    for (const some of await Promise.all(found)) starts.push(...some);
    return starts;
  }

  /** `from` gives another offset when it is looked up again. */
  private get startsMove(): boolean {
    const { from } = this.options;
    return from === 'latest' || typeof from === 'object';
  }

  private isLate(topic: string, partition: number): boolean {
    if (this.options.earliestTopics?.includes(topic) === true) return true;
    if (this.known === undefined) return false;
    return partition >= (this.known.get(topic) ?? 0) || this.late.has(`${topic}-${partition}`);
  }

  private async resolve(
    topic: string,
    partitions: readonly number[],
    position: Position,
    signal: AbortSignal,
  ): Promise<ClaimStart[]> {
    const { isolationLevel } = this.options;
    const resolved = await resolvePositions(this.cluster, topic, partitions, position, {
      isolationLevel,
      signal,
    });
    const mustCommit = position === 'latest' || typeof position === 'object';
    return resolved.map(({ partition, offset, leaderEpoch, metadata }) => ({
      topic,
      partition,
      offset,
      leaderEpoch,
      metadata,
      committed: false,
      mustCommit,
    }));
  }

  private fetch(partitions: Assignment, signal: AbortSignal): Promise<OffsetPoint[]> {
    const { groupId, member } = this.options;
    return committedOffsets(this.cluster, groupId, partitions, { signal, requireStable: true, member });
  }
}
