import type { Segment } from './segment.ts';

/** How a transaction ended, as its marker in the log says. */
export interface StoredMarker {
  readonly isAbort: boolean;
  readonly coordinatorEpoch: number;
}

/** A batch in its log. */
export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly isTransactional: boolean;
  /** Set for a transaction marker. */
  readonly marker: StoredMarker | undefined;
  /** The largest timestamp in the log up to here when it was written. */
  readonly maxTimestampSoFar: number;
  /** Bytes written to this log before it. */
  readonly position: number;
  /** Kafka's offset index would have an entry for it. */
  readonly isIndexed: boolean;
  /** From this wall time on compaction may take what is left of it: tombstones, a marker without records. */
  readonly deleteHorizonMs?: number;
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

/** The raw batch, a view of the log's memory. */
export function batchBytes(batch: StoredBatch): Buffer {
  return batch.segment.buffer.subarray(batch.start, batch.end);
}

/** What compaction leaves of a batch. */
export interface CompactedBatch {
  readonly bytes: Buffer;
  readonly maxTimestamp: number;
  readonly recordCount: number;
  readonly deleteHorizonMs?: number;
}
