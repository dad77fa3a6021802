// From an assignment to claims: finds where each partition starts, and opens what is still assigned by then.

import { KafkaError } from '../../errors.ts';
import { delay } from '../clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { isBrokenPeer } from '../network/broken-peer.ts';
import { sharedAbort } from '../shared-abort.ts';
import { without } from './assignment.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { OffsetPoint } from './committer.ts';
import type { ClaimStart, ClaimStarts } from './starts.ts';

const RETRY_PAUSE_MS = 1_000;

/** What an opener needs from, and tells, the consumer around it. */
export interface OpenerHost {
  /** Resolves with the error when the points are not in the group's log. Never rejects. */
  commitPoints(points: readonly OffsetPoint[]): Promise<KafkaError | undefined>;
  /** Opens the claims; `signal` aborts when they are taken away before all are told. */
  onStarts(starts: readonly ClaimStart[], signal: AbortSignal): void;
  /** Nothing is left to be opened, apart from partitions that cannot be read yet. */
  onOpened(): void;
  /** It cannot go on. */
  onError(error: unknown): void;
}

/** Partitions whose starts are being looked up together. */
interface Round {
  readonly partitions: Assignment;
  readonly stop: AbortController;
  /** A partition that cannot be read yet: the others do not wait for it. */
  readonly isApart: boolean;
  /** They were found, and are claims by now. */
  found: boolean;
}

/** Partitions that are taken away while they are looked up are never opened. */
export class ClaimOpener {
  private readonly cluster: Cluster;
  private readonly starts: ClaimStarts;
  private readonly host: OpenerHost;
  private readonly rounds = new Set<Round>();

  constructor(cluster: Cluster, starts: ClaimStarts, host: OpenerHost) {
    this.cluster = cluster;
    this.starts = starts;
    this.host = host;
  }

  /** What of these partitions is not being opened yet is. */
  open(assignment: Assignment): void {
    let fresh = assignment;
    for (const { partitions } of this.rounds) fresh = without(fresh, partitions);
    const apart = this.leaderless(fresh);
    for (const one of apart) this.begin(one, true);
    this.begin(apart.reduce(without, fresh));
  }

  /** These partitions are not opened any more, without a choice none is; those that were looked up with them start over. */
  drop(partitions?: Assignment): void {
    for (const round of [...this.rounds]) {
      const rest = partitions === undefined ? new Map() : without(round.partitions, partitions);
      if (sizeOf(rest) === sizeOf(round.partitions)) continue;
      this.rounds.delete(round);
      round.stop.abort();
      if (rest.size > 0 && !round.found) this.begin(rest, round.isApart);
    }
  }

  /** One by one, the partitions that nobody leads as far as is known. */
  private leaderless(assignment: Assignment): Assignment[] {
    const { metadata } = this.cluster;
    const isLeaderless = (topic: string, partition: number): boolean =>
      metadata.topic(topic)?.partitions[partition]?.leader === undefined &&
      metadata.topic(topic)?.partitions[partition] !== undefined;
    return oneByOne(assignment)
      .filter(([topic, partition]) => isLeaderless(topic, partition))
      .map(single);
  }

  private begin(partitions: Assignment, isApart = false): void {
    const round: Round = { partitions, isApart, stop: sharedAbort(), found: false };
    this.rounds.add(round);
    this.run(round).catch((error: unknown) => {
      if (!round.stop.signal.aborted) this.host.onError(error);
    });
  }

  private async run(round: Round): Promise<void> {
    const { signal } = round.stop;
    const starts = await this.find(round, signal);
    if (starts === undefined) return;
    const toCommit = starts.filter(({ mustCommit }) => mustCommit);
    if (toCommit.length > 0) {
      // A refusal that no retry helps ends the membership or its generation, and the opening with it.
      while ((await this.host.commitPoints(toCommit)) !== undefined) {
        await delay(this.cluster.clock, RETRY_PAUSE_MS, signal);
      }
    }
    signal.throwIfAborted();
    round.found = true;
    this.host.onStarts(starts, signal);
    if (signal.aborted) return;
    this.rounds.delete(round);
    if (!round.isApart && [...this.rounds].every(({ isApart }) => isApart)) this.host.onOpened();
  }

  /** Undefined when the partitions go on by themselves, because one of them holds up the others. */
  private async find(round: Round, signal: AbortSignal): Promise<ClaimStart[] | undefined> {
    const { partitions } = round;
    for (;;) {
      try {
        return await this.starts.find(partitions, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof KafkaError) || !error.retriable || isBrokenPeer(error)) throw error;
        if (sizeOf(partitions) > 1) {
          this.rounds.delete(round);
          for (const one of oneByOne(partitions)) this.begin(single(one));
          return undefined;
        }
        await delay(this.cluster.clock, RETRY_PAUSE_MS, signal);
      }
    }
  }
}

function oneByOne(assignment: Assignment): [topic: string, partition: number][] {
  return [...assignment].flatMap(([topic, partitions]) =>
    partitions.map((partition): [string, number] => [topic, partition]),
  );
}

function single([topic, partition]: readonly [string, number]): Assignment {
  return new Map([[topic, [partition]]]);
}

function sizeOf(assignment: Assignment): number {
  let size = 0;
  for (const partitions of assignment.values()) size += partitions.length;
  return size;
}
