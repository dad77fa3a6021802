// Partitions being read as the program around sees them, apart from the classes: what a test puts in their place has to offer this much.

import type { OpenOptions } from './open-partitions.ts';
import type { CommitPoint, ReaderListener } from './partition-reader.ts';

/** What a program that reads needs of a {@link PartitionReader}. Type your own code against it, so that a double can be injected. */
export interface RecordReader {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  /** One past the last record handed over. */
  readonly position: number;
  /** -1 before it is known. */
  readonly highWatermark: number;
  readonly lag: number;
  /** Records neither settled nor held. */
  readonly inFlightRecords: number;
  /** Records not settled, held ones included. */
  readonly unsettledCount: number;
  /** Begins to hand over records, in a later task. */
  start(listener: ReaderListener): void;
  settle(sequence: number): void;
  hold(sequence: number): void;
  isSettled(sequence: number): boolean;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
  commitPoint(): CommitPoint;
  firstUnsettled(): number | undefined;
  whenSettled(signal?: AbortSignal): Promise<void>;
  whenIdle(signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** What {@link openPartitions} answers with, as far as a program needs it. */
export interface OpenReaders {
  readonly readers: readonly RecordReader[];
  close(): void;
}

/** Opens readers: `(options) => openPartitions(kafka.cluster, options)`, or the `open` of a double. */
export type OpenReadersFunction = (options: OpenOptions) => Promise<OpenReaders>;
