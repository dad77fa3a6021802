// All partitions of one member, and the ways in which some or all of them end.

import type { KafkaError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { sharedAbort } from '../shared-abort.ts';
import { holds } from './assignment.ts';
import type { Assignment } from './assignors/assignor.ts';
import type { CommitSchedule } from './commit-schedule.ts';
import type { PartitionSummary, RebalanceEvent } from './listener.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** Claims that are being given up together. */
interface Ending {
  readonly partitions: readonly OwnedPartition[];
  /** Ends the waiting for what is in flight. */
  readonly hurry: AbortController;
  readonly done: Promise<KafkaError | undefined>;
}

/** How claims are given up. */
export interface GiveUpOptions {
  readonly reason: string;
  /** How long what is in flight may take; 0 for a loss at once. */
  readonly timeoutMs: number;
  /** The group takes the partitions away: what is not settled in time is then never committed. */
  readonly toGroup: boolean;
}

/** `drainMs`: since nothing more of it was handed over. */
type OnEnded = (kind: RebalanceEvent['kind'], partition: OwnedPartition, drainMs: number) => void;

/** Those that are over stay for the summary until they are forgotten. */
export class OwnedPartitions {
  private readonly clock: Clock;
  private readonly schedule: CommitSchedule;
  private readonly onEnded: OnEnded;
  private all: readonly OwnedPartition[] = [];
  private readonly endings = new Set<Ending>();

  constructor(clock: Clock, schedule: CommitSchedule, onEnded: OnEnded) {
    this.clock = clock;
    this.schedule = schedule;
    this.onEnded = onEnded;
  }

  /** Those that are not over. */
  get live(): readonly OwnedPartition[] {
    return this.all.filter(({ isOver }) => !isOver);
  }

  has(topic: string, partition: number): boolean {
    return this.live.some(({ reader }) => reader.topic === topic && reader.partition === partition);
  }

  add(partitions: readonly OwnedPartition[]): void {
    this.all = [...this.all, ...partitions];
    for (const partition of partitions) this.schedule.add(partition);
  }

  /** Leaves those that are over out of the summary. */
  forgetEnded(): void {
    this.all = this.live;
  }

  summaries(): readonly PartitionSummary[] {
    return this.all.map((partition) => partition.summary());
  }

  /**
   * Gives up these partitions in order, all without a choice; those that are being given up already are only hurried. Resolves when they are
   * over, with the error when their last commit failed. Never rejects.
   */
  async giveUp(chosen: Assignment | undefined, options: GiveUpOptions): Promise<KafkaError | undefined> {
    const waits: Promise<KafkaError | undefined>[] = [];
    const ending = new Set<OwnedPartition>();
    const isChosen = ({ reader }: OwnedPartition): boolean =>
      chosen === undefined || holds(chosen, reader.topic, reader.partition);
    for (const one of this.endings) {
      for (const partition of one.partitions) ending.add(partition);
      if (chosen !== undefined && !one.partitions.some(isChosen)) continue;
      this.hurryAfter(options.timeoutMs, one);
      waits.push(one.done);
    }
    const fresh = this.live.filter((partition) => !ending.has(partition) && isChosen(partition));
    if (fresh.length > 0 || waits.length === 0) waits.push(this.begin(fresh, options));
    const errors = await Promise.all(waits);
    return errors.find((error) => error !== undefined);
  }

  /** Whatever is being given up waits for nothing any more. */
  hurry(): void {
    for (const { hurry } of this.endings) hurry.abort();
  }

  /** The generation is gone: all are dead at once, and nothing of them is committed any more. */
  loseAll(cause: KafkaError): void {
    this.schedule.abandon();
    for (const partition of this.all) {
      this.schedule.remove(partition);
      if (partition.isOver) continue;
      partition.lose(cause.message, true, cause);
      this.onEnded('lost', partition, 0);
    }
    this.hurry();
  }

  private begin(
    partitions: readonly OwnedPartition[],
    options: GiveUpOptions,
  ): Promise<KafkaError | undefined> {
    const hurry = sharedAbort();
    const done = this.drain(partitions, options, hurry).finally(() => this.endings.delete(ending));
    const ending: Ending = { partitions, hurry, done };
    this.endings.add(ending);
    return done;
  }

  private hurryAfter(timeoutMs: number, { hurry, done }: Ending): void {
    const timer = this.clock.setTimeout(() => hurry.abort(), timeoutMs);
    void done.finally(() => timer.cancel());
  }

  private async drain(
    partitions: readonly OwnedPartition[],
    { reason, timeoutMs, toGroup }: GiveUpOptions,
    hurry: AbortController,
  ): Promise<KafkaError | undefined> {
    const startedAt = this.clock.now();
    for (const partition of partitions) partition.closeGate();
    if (timeoutMs > 0) for (const partition of partitions) partition.revoke(reason);
    else hurry.abort();
    const timer = this.clock.setTimeout(() => hurry.abort(), timeoutMs);
    const waits = partitions.map(async (partition) => {
      if ((await partition.whenDrained(hurry.signal)) || partition.isOver) return;
      partition.lose(
        timeoutMs > 0 ? `${reason}, and not all was settled within ${timeoutMs} ms` : reason,
        toGroup,
      );
      if (toGroup) this.schedule.remove(partition);
      this.onEnded('lost', partition, this.clock.now() - startedAt);
    });
    await Promise.all(waits);
    timer.cancel();
    const error = await this.schedule.flush(partitions);
    for (const partition of partitions) {
      this.schedule.remove(partition);
      if (partition.isOver) continue;
      partition.release();
      this.onEnded('released', partition, this.clock.now() - startedAt);
    }
    return error;
  }
}
