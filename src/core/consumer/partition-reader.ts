// One partition being read under a credit gate.

import type { KafkaError } from '../../errors.ts';
import type { FetchedRecord } from '../records/fetched-record.ts';
import type { ReaderOptions } from './options.ts';

/** Who a reader hands its records to. Every call is synchronous. */
export interface ReaderListener {
  /** In offset order, only while there is credit; `sequence` identifies the record for `settle()`. */
  onRecord(record: FetchedRecord, sequence: number): void;
  /** Out of credit (or of memory) with more to come: what gathers records should flush. Once per stall. */
  onPressure(): void;
  /** `to` is reached; every record before it was handed over. */
  onEnd(): void;
  /** The cursor cannot go on; every good record before the fault was handed over. Records under way can still be settled. */
  onError(error: KafkaError): void;
}

/** What may be committed. */
export interface CommitPoint {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** One partition being read; made for a {@link Fetcher}, which feeds it. */
export declare class PartitionReader {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  claimEpoch: number;
  startOffset: number;
  commitMetadata: string;
  /** Called when settling moved the commit point, with the number of records it moved over. */
  onSettledAny: ((records: number) => void) | undefined;
  constructor(options: ReaderOptions);
  get position(): number;
  get highWatermark(): number;
  get lag(): number;
  get inFlightRecords(): number;
  get inFlightBytes(): number;
  get unsettledCount(): number;
  get lateSettles(): number;
  start(listener: ReaderListener): void;
  settle(sequence: number): void;
  hold(sequence: number): void;
  isSettled(sequence: number): boolean;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
  closeGate(): void;
  openGate(): void;
  commitPoint(): CommitPoint;
  firstUnsettled(): number | undefined;
  oldestUnsettledAgeMs(): number;
  /** All records handed over are settled, held ones included. */
  whenSettled(signal?: AbortSignal): Promise<void>;
  /** Nothing is in flight: what is unsettled is held. */
  whenIdle(signal?: AbortSignal): Promise<void>;
  reset(offset: number): void;
  close(): void;
}
