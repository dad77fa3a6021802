// What is told of records on their way out and in: by batch and by answer, never one by one.

import type { KafkaError } from '../../errors.ts';

/** A batch on its way to a partition. */
export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** As it goes over the wire. */
  readonly bytes: number;
  /** Before compression. */
  readonly uncompressedBytes: number;
  /** How often it was sent, this time included. */
  readonly sends: number;
  /** Since its first record was taken. */
  readonly ageMs: number;
}

/**
 * - `sent`: a Produce request with these batches goes out.
 * - `acked`: a batch is in the log, from `offset` on (-1 where the broker does not say).
 * - `retried`: a batch goes out again, because of `error`.
 * - `failed`: its records' receipts are told `error`.
 */
export type ProduceEvent = { readonly clientId: string } & (
  | { readonly kind: 'sent'; readonly nodeId: number; readonly batches: readonly ProducedBatch[] }
  | { readonly kind: 'acked'; readonly batch: ProducedBatch; readonly offset: number }
  | { readonly kind: 'retried'; readonly batch: ProducedBatch; readonly error: KafkaError | undefined }
  | { readonly kind: 'failed'; readonly batch: ProducedBatch; readonly error: KafkaError }
);

/** What one answer to Fetch brought for one partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly offset: number;
  readonly bytes: number;
  /** By the batches' headers: control records, and records before `offset`, included. */
  readonly records: number;
  readonly highWatermark: number;
  /** -1 where the broker does not say. */
  readonly logStartOffset: number;
}

/** An answer to Fetch, or none. Errors of single partitions are not among these: they are part of following leaders. */
export type FetchEvent = { readonly clientId: string; readonly nodeId: number } & (
  | {
      readonly kind: 'answered';
      /** Of the records. */
      readonly bytes: number;
      readonly throttleTimeMs: number;
      /** Those that the answer names. */
      readonly partitions: readonly FetchedPartition[];
    }
  | { readonly kind: 'failed'; readonly partitions: number; readonly error: unknown }
);

/**
 * The credit of a partition: `stalled` when it is used up while there is more to hand over, `resumed` when half of it is back. Of a claim and of a
 * partition that is read without a group.
 */
export type CreditEvent = {
  readonly clientId: string;
  readonly topic: string;
  readonly partition: number;
  readonly claimEpoch: number;
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
} & ({ readonly kind: 'stalled' } | { readonly kind: 'resumed'; readonly stalledMs: number });
