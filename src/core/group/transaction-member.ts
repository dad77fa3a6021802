// A member whose offsets are committed by a transaction: it stands still while the transaction ends, and starts over when it is undone.

import { BrokerError } from '../../errors.ts';
import { JoinedSignal } from '../joined-signal.ts';
import type { PartitionReader } from '../consumer/partition-reader.ts';
import type { Generation, OffsetPoint } from './committer.ts';
import type { OwnedPartition } from './owned-partition.ts';

/** The consumer around it. */
export interface TransactionMemberHost {
  readonly groupId: string;
  /** The partitions that are not over. */
  live(): readonly OwnedPartition[];
  current(): Generation | undefined;
}

/** What a transaction does with the claims of one member. It stands still until it is told to proceed for the first time. */
export class TransactionMember {
  readonly groupId: string;
  private readonly host: TransactionMemberHost;
  private readonly readers = new Map<OwnedPartition, PartitionReader>();
  private readonly known = new Set<string>();
  private isSuspended = true;

  constructor(host: TransactionMemberHost) {
    this.groupId = host.groupId;
    this.host = host;
  }

  get generation(): Generation | undefined {
    return this.host.current();
  }

  /** A claim was opened. */
  track(partition: OwnedPartition, reader: PartitionReader): void {
    for (const known of this.readers.keys()) if (known.isOver) this.readers.delete(known);
    this.readers.set(partition, reader);
    this.known.add(`${reader.topic}-${reader.partition}`);
    if (this.isSuspended) reader.suspend();
  }

  /** No claim hands anything over, those opened from now on included. */
  suspend(): void {
    this.isSuspended = true;
    for (const [partition, reader] of this.readers) if (!partition.isOver) reader.suspend();
  }

  proceed(): void {
    this.isSuspended = false;
    for (const [partition, reader] of this.readers) if (!partition.isOver) reader.proceed();
  }

  /**
   * Resolves when everything that was handed over is settled. Rejects with the signal's reason, and when something never will be: a record that is
   * held or given up of a claim that is being given away, or, once `ending` is aborted, of any.
   */
  async whenSettled(signal: AbortSignal, ending: AbortSignal): Promise<void> {
    const either = new JoinedSignal([signal, ending]);
    const waits = [...this.readers].map(async ([partition, reader]) => {
      if (partition.isOver) return;
      await reader.whenIdle(signal);
      if (reader.unsettledCount === 0) return;
      if (partition.isClosing || ending.aborted) throw unsettled(partition);
      await reader.whenSettled(either.signal);
    });
    void Promise.allSettled(waits).then(() => either.release());
    await Promise.all(waits);
  }

  /** The commit points that have moved. */
  points(): OffsetPoint[] {
    const moved: OffsetPoint[] = [];
    for (const partition of this.host.live()) {
      const point = partition.point();
      if (partition.committedOffset === undefined || point.offset > partition.committedOffset)
        moved.push(point);
    }
    return moved;
  }

  /** False for a point of a partition that was never claimed: nothing that it says can be undone. */
  knows({ topic, partition }: OffsetPoint): boolean {
    return this.known.has(`${topic}-${partition}`);
  }

  /** True when the partition's claim stands there or beyond; false once that was undone, or the claim is over. */
  reaches({ topic, partition, offset }: OffsetPoint): boolean {
    return this.host
      .live()
      .some(
        (owned) =>
          owned.reader.topic === topic &&
          owned.reader.partition === partition &&
          owned.point().offset >= offset,
      );
  }

  /** These points are in the group's log. */
  committed(points: readonly OffsetPoint[]): void {
    for (const owned of this.readers.keys()) {
      const { topic, partition } = owned.reader;
      const point = points.find((one) => one.topic === topic && one.partition === partition);
      if (point !== undefined) owned.committedOffset = point.offset;
    }
  }

  /** The transaction is undone: every claim is lost, and starts over at what is committed once its source says that it may. */
  undo(delayMs: number): void {
    const live = this.host.live();
    for (const partition of this.readers.keys()) partition.undo();
    for (const partition of live) partition.rewind(partition.claim, delayMs);
  }
}

function unsettled({ reader }: OwnedPartition): BrokerError {
  const { topic, partition } = reader;
  const message = `${topic}-${partition} has records that will not be settled any more, so its offset is not committed with what was made of the others`;
  return new BrokerError('TRANSACTION_ABORTABLE', message, { retriable: false, topic, partition });
}
