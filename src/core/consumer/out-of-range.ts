// What happens to a reader whose position the log does not hold.

import { KafkaError, ProtocolError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { backoffMs } from '../cluster/retry.ts';
import { sharedAbort } from '../shared-abort.ts';
import { epochEnd } from './epoch-end.ts';
import { rangeError, truncatedError } from './fetch-errors.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, listOffsets } from './list-offsets.ts';
import type { IsolationLevel, OutOfRange } from './options.ts';
import type { PartitionReader } from './partition-reader.ts';
import { NO_CREATION } from './defaults.ts';

/** The largest epoch up to which two logs agree, and where it ends. */
export interface DivergingEpoch {
  readonly epoch: number;
  readonly endOffset: number;
}

/** Finds out what the log holds and lets the policy decide. */
export class RangeRepair {
  private readonly cluster: Cluster;
  private readonly policy: OutOfRange;
  private readonly isolationLevel: IsolationLevel | undefined;
  private readonly abort = sharedAbort();

  constructor(cluster: Cluster, policy: OutOfRange, isolationLevel: IsolationLevel | undefined) {
    this.cluster = cluster;
    this.policy = policy;
    this.isolationLevel = isolationLevel;
  }

  close(): void {
    this.abort.abort();
  }

  /**
   * A broker said that the position is out of range. What is buffered is still handed over, whatever comes of it. Looks at the metadata
   * first: to brokers that know topics by name only, a topic created anew looks like this, and its offsets are not to be gone on with.
   */
  async repair(reader: PartitionReader): Promise<void> {
    const { topic, partition } = reader;
    const { fetch } = reader.feed;
    const { generation, offset } = fetch;
    fetch.notBeforeMs = Infinity;
    const isStale = (): boolean => fetch.generation !== generation || this.abort.signal.aborted;
    try {
      await this.cluster.refresh([topic], this.abort.signal, NO_CREATION);
      if (isStale()) return;
      const [first, end] = await Promise.all([
        this.edge(topic, partition, EARLIEST_TIMESTAMP),
        this.edge(topic, partition, LATEST_TIMESTAMP),
      ]);
      if (isStale()) return;
      const cut = offset > end ? await this.cutBelow(reader) : undefined;
      if (isStale()) return;
      this.release(reader);
      if (cut !== undefined) this.truncated(reader, cut);
      else if (offset >= first && offset <= end) reader.feed.askForMore();
      else if (this.policy === 'fail') reader.feed.fail(rangeError(reader, offset, first, end));
      else await this.goOn(reader, first, end, isStale);
    } catch (error) {
      if (!isStale()) this.giveUp(reader, error);
    }
  }

  /** A broker said that its log was cut below the position: it and the reader agree up to there. */
  truncated(reader: PartitionReader, { epoch, endOffset }: DivergingEpoch): void {
    const { offset } = reader.feed.fetch;
    if (this.policy === 'fail') reader.feed.fail(truncatedError(reader, offset, endOffset));
    else reader.feed.jumpTo(Math.min(offset, endOffset), epoch);
  }

  /** Where a log that ends before the position parted from what was read. Undefined where that is not known. */
  private async cutBelow({ topic, partition, feed }: PartitionReader): Promise<DivergingEpoch | undefined> {
    const { offset, leaderEpoch } = feed.fetch;
    if (leaderEpoch < 0) return undefined;
    const found = await epochEnd(this.cluster, topic, partition, leaderEpoch, this.abort.signal);
    return found === undefined || found.endOffset >= offset
      ? undefined
      : { epoch: found.leaderEpoch, endOffset: found.endOffset };
  }

  private async goOn(
    reader: PartitionReader,
    first: number,
    end: number,
    isStale: () => boolean,
  ): Promise<void> {
    const { policy } = this;
    if (typeof policy !== 'object') {
      reader.feed.jumpTo(policy === 'earliest' ? first : end);
      return;
    }
    reader.feed.fetch.notBeforeMs = Infinity;
    const sinceMs = Math.max(0, this.cluster.clock.wallNow() - policy.byMs);
    const found = await this.edge(reader.topic, reader.partition, sinceMs);
    if (!isStale()) reader.feed.jumpTo(found < 0 ? end : found);
  }

  private async edge(topic: string, partition: number, timestamp: number): Promise<number> {
    const { isolationLevel } = this;
    const { signal } = this.abort;
    const found = await listOffsets(this.cluster, topic, [partition], timestamp, { isolationLevel, signal });
    return found.get(partition)!.offset;
  }

  private release(reader: PartitionReader): void {
    const { random, retry, clock } = this.cluster;
    reader.feed.fetch.failures += 1;
    reader.feed.fetch.notBeforeMs =
      clock.now() + backoffMs(reader.feed.fetch.failures, retry.minDelayMs, retry.maxDelayMs, random);
  }

  private giveUp(reader: PartitionReader, error: unknown): void {
    this.release(reader);
    if (error instanceof KafkaError && error.retriable) reader.feed.askForMore();
    else if (error instanceof KafkaError) reader.feed.fail(error);
    else {
      const { topic, partition } = reader;
      const message = `Finding the range of ${topic}-${partition} failed: ${String(error)}`;
      reader.feed.fail(new ProtocolError(message, { topic, partition, cause: error }));
    }
  }
}
