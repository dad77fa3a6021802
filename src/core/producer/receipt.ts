// How the fate of one record comes back: a callback object, so that the fast path makes neither a promise nor a closure.

import type { KafkaError } from '../../errors.ts';

/** What decides for many receipts at once whether any of them can be withdrawn. */
export interface Withdrawal {
  readonly isPossible: boolean;
}

/** Records of one batch, in the order in which they were sent. */
export interface AckedRecords {
  tag(index: number): number;
}

/**
 * Told once what became of a record. Calls for one partition come in the order in which its records were sent. One receipt may serve many
 * records: `tag` is the number that was given to `send` with the record, 0 without one.
 */
export interface Receipt {
  /**
   * The record is in the log of every in-sync replica. `offset` is -1 when the broker recognised a repeated batch but no longer knows where it
   * is. `timestamp` is the record's, or the broker's where the topic stamps records itself.
   */
  onAcked(partition: number, offset: number, timestamp: number, tag: number): void;
  /**
   * Called in the place of `onAcked` for neighbours of one batch that are all of this receipt, `from` to before `to`, when it need not know where they
   * are: one call for many records.
   */
  onRunAcked?(records: AckedRecords, from: number, to: number): void;
  /**
   * The record is not in the log, or (OutcomeUnknownError) nobody can say. A record refused before it joined a batch (too large, unknown
   * topic) is reported at once and does not wait for the records before it.
   */
  onFailed(error: KafkaError, tag: number): void;
  /** Asked when the record's batch is sealed for its first sending; true leaves the record out. */
  isWithdrawn?(tag: number): boolean;
  /** Spares the question: while none of the withdrawals of a batch is possible, none of their receipts is asked. */
  readonly withdrawal?: Withdrawal;
  /** The record was left out; neither `onAcked` nor `onFailed` follows. */
  onWithdrawn?(tag: number): void;
}

/** Where a record ended up. */
export interface Sent {
  readonly partition: number;
  /** -1 when unknown, see {@link Receipt.onAcked}. */
  readonly offset: number;
  readonly timestamp: number;
}

/** The fate of one record as a promise; `send` is called at once, with the receipt that settles it. */
export function promiseOf(send: (receipt: Receipt) => void): Promise<Sent> {
  return new Promise((resolve, reject) => {
    send({
      onAcked: (partition, offset, timestamp) => resolve({ partition, offset, timestamp }),
      onFailed: reject,
    });
  });
}
